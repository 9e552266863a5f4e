import * as path from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { analyseAsync } from './analysis';
import { checkSource } from './compile';
import {
  ANSWER,
  failed,
  SANDBOX_THREAD,
  timeoutMessage,
  type Failure,
  type Outcome,
  type Program,
  type SandboxLimits,
} from './outcome';
import { randomState } from './secret';
import { lockedDownDeclaration, type LockedDownOptions } from './settings';
import { markedText } from '../common/exactJson';
import { checkNesting } from '../common/nesting';
import { Deadline, hasEnded } from '../common/threads/processorTime';
import { resolveSettings } from '../common/settings';

/** Thrown when a locked-down function cannot be created, or a call of it fails. */
export class StrategyError extends Error {
  override name = 'StrategyError';
  /** The limit that was exceeded, or `error` where the code threw or is not valid. */
  readonly reason: Failure['reason'];
  /** Line in the source, from 1, where known. */
  readonly line: number | undefined;

  constructor(readonly failure: Failure) {
    super(failure.line === undefined ? failure.message : `${failure.message} (line ${failure.line})`);
    this.reason = failure.reason;
    this.line = failure.line;
  }
}

/**
 * A strategy in its sandbox, called like any function. Arguments and result are copied
 * as JSON. Throws {@link StrategyError} when the call fails.
 */
export interface LockedDownFunction {
  (...args: any[]): any;
  /** Its source. */
  readonly code: string;
  /** Starts it again from its source: its variables as at first, `Math.random` from `seed`. */
  restart(seed?: number): void;
  /** Ends its thread. Later calls throw. */
  dispose(): void;
  /** Returns the outcome of a call, and the processor seconds that it took. Does not throw when the call fails. */
  attempt(args: unknown[]): { outcome: Outcome; seconds: number };
}

/** Main thread → sandbox thread. */
export type LockedRequest =
  | { type: 'open'; program: Program; limits: SandboxLimits }
  | { type: 'call'; argumentsText: string };

/** Sandbox thread → main thread, once for each request. */
export interface LockedReply {
  outcome: Outcome;
  seconds: number;
}

/** The stages of a starting sandbox thread: its engine is ready, then the code's top level has been evaluated. */
export type LockedStage = 'ready' | 'opened';

/** Milliseconds beyond the limit of a call after which the thread is ended: QuickJS does not check the clock everywhere. */
const GRACE = 400;
/** Milliseconds between two checks of a thread that has not answered. */
const WATCH = 25;
/** Milliseconds in which a new engine must be ready, on a busy machine. */
const START = 60_000;

/**
 * Returns a function that runs the code in a sandbox (QuickJS in WebAssembly, in a
 * thread of its own) with no access to anything outside.
 *
 * - No modules, network, timers or clock (`Date` is not defined). `Math.random` is
 *   seeded, `console` is silent: the same calls give the same results.
 * - Arguments go in and results come out as JSON copies: what the strategy changes in
 *   its arguments, it changes in its own copies. At most 64 Ki characters come out.
 * - A call over the time or memory limit, or an exception, throws
 *   {@link StrategyError}, and the next call may still succeed. After a call that
 *   could only be stopped by ending its thread, the code starts afresh.
 *
 * @throws TypeError when `code` is not a string, or an option is wrong
 * @throws StrategyError when the code has a syntax error or declares no function
 *   `strategy`
 */
export async function createLockedDownFunction(
  code: string,
  options: LockedDownOptions = {},
): Promise<LockedDownFunction> {
  checkSource('createLockedDownFunction', code);
  const { seed, ...limits } = resolveSettings(lockedDownDeclaration, options);
  return lockDown(code, { ...limits, randomState: randomState(seed) }, seed);
}

/** Returns a locked-down function as {@link createLockedDownFunction}, with limits that were checked. */
export async function lockDown(code: string, limits: SandboxLimits, seed = 0): Promise<LockedDownFunction> {
  const { program, problems } = await analyseAsync(code);
  if (problems.length > 0)
    throw new StrategyError({ reason: 'error', message: `SyntaxError: ${problems[0].reason}`, line: problems[0].line });
  const thread = new SandboxThread(program, limits);
  const failure = await thread.open();
  if (failure) {
    thread.dispose();
    throw new StrategyError(failure);
  }
  const locked = (...args: unknown[]): unknown => valueOf(thread.call(args).outcome);
  const members = {
    restart: (other = seed) => thread.restart(other),
    dispose: () => thread.dispose(),
    attempt: (args: unknown[]) => thread.call(args),
  };
  Object.defineProperties(locked, { name: { value: 'strategy' }, code: { value: code, enumerable: true } });
  // The thread does not keep the program alive, and ends when the function is forgotten.
  forgotten.register(locked, thread);
  return Object.assign(locked, members) as LockedDownFunction;
}

/** Returns whether a value is a {@link LockedDownFunction}. */
export function isLockedDown(value: unknown): value is LockedDownFunction {
  return typeof value === 'function' && 'attempt' in value && 'restart' in value;
}

const forgotten = new FinalizationRegistry<SandboxThread>((thread) => thread.dispose());

function valueOf(outcome: Outcome): unknown {
  switch (outcome.kind) {
    case 'failure':
      throw new StrategyError(outcome.failure);
    case 'other':
      throw new StrategyError({
        reason: 'error',
        message: `returned ${outcome.description}, which cannot leave the sandbox`,
      });
    case 'undefined':
      return undefined;
    default:
      return outcome.value;
  }
}

/** The thread of one sandbox, called synchronously: the caller blocks until the answer is there or its time is over. */
class SandboxThread {
  /** Undefined after a call that did not return; the next one starts a thread again. */
  private worker: Worker | undefined;
  private port: MessagePort | undefined;
  /** See {@link ANSWER}. */
  private answered = sharedCells();
  /** Why the thread ended, where that is known. */
  private error: Error | undefined;
  private disposed = false;

  constructor(
    private program: Program,
    private limits: SandboxLimits,
  ) {}

  /** Starts the thread and evaluates the code's top level, without blocking. Resolves to its failure, if it fails. */
  async open(): Promise<Failure | undefined> {
    const worker = this.start();
    worker.ref();
    await this.stage(worker, 'ready', START);
    await this.stage(worker, 'opened', this.longestCall);
    worker.unref();
    if (Atomics.load(this.answered, ANSWER.ready) === 0)
      throw new Error(`The thread of a sandbox did not start: ${this.error?.message ?? 'no reason given'}.`);
    const { outcome } = this.receive() ?? this.endThread();
    return outcome.kind === 'failure' ? outcome.failure : undefined;
  }

  /** Returns the milliseconds of a call after which its thread is ended. */
  private get longestCall(): number {
    return this.limits.callTimeLimit * 1000 + GRACE;
  }

  /** Waits until the thread reaches a stage, has ended, or the time is over. */
  private stage(worker: Worker, stage: LockedStage, milliseconds: number): Promise<void> {
    const deadline = this.deadline(milliseconds);
    return new Promise((resolve) => {
      const timer = setInterval(() => deadline.over && done(), WATCH);
      const done = (): void => (clearInterval(timer), resolve());
      worker.on('message', (message: LockedStage) => message === stage && done()).once('exit', done);
    });
  }

  restart(seed: number): void {
    this.limits = { ...this.limits, randomState: randomState(seed) };
    if (this.worker) this.ask({ type: 'open', program: this.program, limits: this.limits });
  }

  call(args: unknown[]): LockedReply {
    for (const argument of args) checkNesting(argument, 'The argument of a strategy');
    const argumentsText = markedText(args);
    if (this.disposed) return { outcome: failed('error', 'this function was disposed'), seconds: 0 };
    if (!this.worker) {
      this.start();
      const opened = this.wait();
      if (!opened) return this.endThread();
    }
    return this.ask({ type: 'call', argumentsText });
  }

  dispose(): void {
    this.disposed = true;
    this.stop();
  }

  private start(): Worker {
    const { port1, port2 } = new MessageChannel();
    this.answered = sharedCells();
    this.port = port1;
    this.worker = new Worker(path.join(__dirname, 'lockedWorker.js'), {
      ...SANDBOX_THREAD,
      workerData: { port: port2, answered: this.answered },
      transferList: [port2],
    });
    // A broken worker shows as an answer that never comes.
    this.worker.on('error', (error) => void (this.error = error));
    this.worker.unref();
    this.port.unref();
    this.port.postMessage({ type: 'open', program: this.program, limits: this.limits } satisfies LockedRequest);
    return this.worker;
  }

  private stop(): void {
    void this.worker?.terminate();
    this.port?.close();
    this.worker = this.port = undefined;
  }

  private ask(request: LockedRequest): LockedReply {
    this.port!.postMessage(request);
    return this.wait() ?? this.endThread();
  }

  /** Ends a thread that did not answer, and returns how its call failed. */
  private endThread(): LockedReply {
    const ended = hasEnded(Atomics.load(this.answered, ANSWER.thread));
    this.stop();
    const outcome = ended
      ? failed('memory', 'its thread ended: it used more memory than there is')
      : failed('timeout', timeoutMessage(this.limits));
    return { outcome, seconds: this.longestCall / 1000 };
  }

  /**
   * Blocks until the answer to a request is there, or its time is over. The start of the
   * engine does not count against the strategy's time.
   */
  private wait(): LockedReply | undefined {
    if (Atomics.load(this.answered, ANSWER.ready) === 0) this.waitFor(ANSWER.ready, START);
    this.waitFor(ANSWER.there, this.longestCall);
    return this.receive();
  }

  private waitFor(cell: number, milliseconds: number): void {
    const deadline = this.deadline(milliseconds);
    while (Atomics.wait(this.answered, cell, 0, WATCH) === 'timed-out' && !deadline.over);
  }

  private deadline(milliseconds: number): Deadline {
    return new Deadline(Atomics.load(this.answered, ANSWER.thread), milliseconds);
  }

  private receive(): LockedReply | undefined {
    if (Atomics.exchange(this.answered, ANSWER.there, 0) === 0) return undefined;
    return receiveMessageOnPort(this.port!)?.message as LockedReply | undefined;
  }
}

function sharedCells(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * ANSWER.length));
}
