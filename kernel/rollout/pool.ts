import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import { Worker } from 'node:worker_threads';
import { withProgress, type Task } from '../display/progress';
import { OpenEnvError } from '../openenv/errors';
import { MESSAGE_TIMEOUT, Sleeper } from '../openenv/vector';
import { SANDBOX_THREAD, timeoutMessage, type Failure } from '../strategy/outcome';
import { Deadline } from '../common/processorTime';
import { isVector, lanesOf, unplayed, type RolloutEnvironment } from './environments';
import type { LaneAddress } from './lane';
import type { Played } from './play';
import { CALL, QUEUE, type Job, type PlayRequest, type WorkerMessage } from './protocol';

/** Options of {@link playInPool}. */
export interface PoolOptions {
  /** Number of workers; by default one for each of the environment's lanes. */
  workers?: number;
  /** What is shown meanwhile. */
  title?: string;
  signal: AbortSignal;
}

/** Games that a worker plays at a time, at most. */
const MAX_SLOTS = 16;
/** Milliseconds between two looks at the workers. */
const WATCH = 25;
/** Milliseconds beyond the limit of a call before its thread is given up. */
const GRACE = 400;
/** Milliseconds that workers have to answer an abort before their threads are ended. */
const ABORT = 100;
/** Milliseconds without a session after which the user is told. */
const TELL = 3000;
/** How often a rollout goes on after a thread was lost, or for each of its lanes, a server. */
const RETRIES = 2;

/**
 * Threads without work, by the kind of lane that they play: those of `vector`
 * lanes may be kept on a core. They live as long as the process, and do not keep it alive.
 */
const idle = { vector: new Set<Worker>(), sessions: new Set<Worker>() };

/** The rollout under way: one at a time has the processors. */
let last: Promise<unknown> = Promise.resolve();

/** Plays all jobs. Resolves with what was played, job by job. */
export function playInPool(env: RolloutEnvironment, jobs: Job[], options: PoolOptions): Promise<Played[]> {
  const mine = last.then(() => withProgress(options.title ?? `Playing episodes of ${env.name}`, jobs.length, (task) => new PoolRun(env, jobs, options, task).run()));
  last = mine.catch(() => {});
  return mine;
}

/** A worker with the jobs it has taken and not finished. */
interface Seat {
  /** Its position in the rollout's lanes, and the lane there when it began. */
  lane: number;
  address: LaneAddress;
  thread: Worker;
  taken: Set<number>;
  /** Why the thread ended, if it said so. */
  error?: Error;
  call: Int32Array;
  /** Sees to it that the thread does not wait for ever for its server. */
  sleeper: Sleeper;
  /** The call under way when the seat was last looked at, and how long it may take. */
  seen: { call: CallUnderWay; deadline: Deadline } | undefined;
  stop(): void;
}

/** One rollout. */
class PoolRun {
  private readonly played: Played[] = [];
  private readonly seats = new Set<Seat>();
  private readonly queue = new Int32Array(new SharedArrayBuffer(4 * QUEUE.length));
  /** Jobs that were played. */
  private done = 0;
  private retries = 0;
  private losses = 0;
  /** The lanes that play, and a cell for each: see `Loans`. */
  private lanes: LaneAddress[] = [];
  private idle: Int32Array = new Int32Array();
  /** Seats whose server was lost, and that wait for another. */
  private recovering = 0;
  /** Whether the environment was asked for its own session, and the user told of the wait. */
  private lent = false;
  private told = false;
  private finish!: () => void;
  private fail!: (error: unknown) => void;
  /** Between `run` and its end; what comes later is not looked at. */
  private over = false;

  constructor(private readonly env: RolloutEnvironment, private readonly jobs: Job[], private readonly options: PoolOptions, private readonly task: Task) {}

  async run(): Promise<Played[]> {
    const { signal, workers } = this.options;
    const finished = new Promise<void>((resolve, reject) => ([this.finish, this.fail] = [resolve, reject]));
    const aborted = (): void => this.abort();
    signal.addEventListener('abort', aborted);
    const watch = setInterval(() => this.watch(), WATCH);
    try {
      if (signal.aborted) this.abort();
      else if (this.jobs.length > 0) await Promise.race([this.start(workers), finished]);
      else this.finish();
      await finished;
    } finally {
      this.over = true;
      clearInterval(watch);
      signal.removeEventListener('abort', aborted);
      for (const seat of this.seats) this.discard(seat);
    }
    return this.jobs.map((job, position) => this.played[position] ?? unplayed(this.env, job));
  }

  private async start(workers: number | undefined): Promise<void> {
    const lanes = await lanesOf(this.env, workers);
    if (this.over) return;
    this.lanes = lanes.slice(0, Math.min(workers ?? lanes.length, this.jobs.length));
    this.idle = new Int32Array(new SharedArrayBuffer(4 * this.lanes.length));
    for (const lane of this.lanes.keys()) this.seat(lane, [], this.lanes.length);
  }

  /** Puts a worker to work: first on the jobs `mine`, then on the queue. */
  private seat(lane: number, mine: number[], workers: number): void {
    const { lanes, jobs, queue } = this;
    const address = lanes[lane];
    const [thread = newThread()] = idle[address.kind];
    idle[address.kind].delete(thread);
    const seat: Seat = {
      lane, address, thread, taken: new Set(mine),
      call: new Int32Array(new SharedArrayBuffer(4 * CALL.length)),
      sleeper: new Sleeper(messageTimeout(address)),
      seen: undefined,
      stop: () => thread.removeAllListeners('message').removeAllListeners('exit').removeAllListeners('error').on('error', () => {}),
    };
    thread.on('error', (error) => void (seat.error = error));
    thread.on('message', (message: WorkerMessage) => this.receive(seat, message));
    thread.on('exit', () => this.replace(seat));
    thread.ref();
    this.seats.add(seat);
    Atomics.store(this.idle, lane, 0);
    const slots = Math.min(MAX_SLOTS, Math.ceil(Math.min(jobs.length, maxSessions(address)) / workers));
    const core = lanes.length === availableParallelism() ? lane : undefined;
    thread.postMessage({ lanes, lane, core, idle: this.idle, slots, jobs, mine, queue, call: seat.call, sleep: seat.sleeper.cells } satisfies PlayRequest);
  }

  private receive(seat: Seat, message: WorkerMessage): void {
    switch (message.type) {
      case 'taken':
        seat.taken.add(message.position);
        break;
      case 'done':
        seat.taken.delete(message.position);
        this.played[message.position] = message.played;
        this.task.update(++this.done);
        break;
      case 'idle':
        this.release(seat);
        if (this.seats.size === 0 && this.recovering === 0) this.finish();
        break;
      case 'waits':
        this.waits(message.why, message.milliseconds);
        break;
      case 'failed':
        this.discard(seat);
        void this.recover(seat, message);
    }
  }

  /** Servers that have no room may have it once the environment gives its own session back. */
  private waits(why: 'full' | 'away', milliseconds: number): void {
    if (!this.lent && why === 'full' && !isVector(this.env)) {
      this.lent = true;
      void this.env.release?.().catch(() => {});
    }
    if (milliseconds < TELL || this.told) return;
    this.told = true;
    console.log(why === 'full' ? `${this.env.name} has no free session: the rollout waits for one.` : `${this.env.name} does not answer: the rollout waits for it.`);
  }

  /** Goes on with other servers where one was lost, or is frozen, else gives up. The environment replaces what does not answer. */
  private async recover(seat: Seat, { message, code }: { message: string; code: string | undefined }): Promise<void> {
    const lost = code === 'CONNECTION_LOST' || code === 'CONNECTION_FAILED' || code === 'TIMEOUT';
    const error = new OpenEnvError((code ?? 'EXECUTION_ERROR') as OpenEnvError['code'], message);
    if (!lost || this.losses++ >= RETRIES * this.lanes.length) return this.fail(error);
    this.recovering++;
    try {
      const lanes = (await lanesOf(this.env, this.options.workers)).slice(0, this.lanes.length);
      if (this.over) return;
      this.lanes = lanes;
      const busy = new Set([...this.seats].map(({ address }) => serverOf(address)));
      const free = lanes.findIndex((other) => !busy.has(serverOf(other)));
      this.seat(Math.max(0, free), [...seat.taken], lanes.length);
    } catch (failure) {
      this.fail(failure);
    } finally {
      this.recovering--;
    }
  }

  /** Ends threads that hang in a call, where the sandbox itself cannot, and the sleep of those whose server does not answer. */
  private watch(): void {
    for (const seat of this.seats) {
      seat.sleeper.look();
      const call = callUnderWay(seat.call);
      if (!call) {
        seat.seen = undefined;
      } else if (call.count !== seat.seen?.call.count) {
        const limit = this.jobs[call.position].limits.callTimeLimit * 1000 + GRACE;
        seat.seen = { call, deadline: new Deadline(Atomics.load(seat.call, CALL.thread), limit) };
      } else if (seat.seen.deadline.over) {
        this.replace(seat, call);
      }
    }
  }

  /**
   * A thread is gone, or hangs. A new one plays its unfinished games again, from
   * their seeds: all but the call that it was in, which is not made again.
   */
  private replace(seat: Seat, call = callUnderWay(seat.call)): void {
    if (!this.seats.has(seat)) return;
    this.discard(seat);
    if (call) {
      const job = this.jobs[call.position];
      job.broken = { step: call.step, failure: failureOf(job, seat) };
    } else if (this.retries++ >= RETRIES) {
      return this.fail(new Error(`A worker thread of the rollout ended unexpectedly, again and again: ${seat.error?.message ?? 'no reason given'}.`));
    }
    const unfinished = [...seat.taken].filter((taken) => !this.played[taken]);
    this.seat(seat.lane, unfinished, this.seats.size + 1);
  }

  /** Lets the workers end their episodes; those that do not answer at once are ended. */
  private abort(): void {
    Atomics.store(this.queue, QUEUE.aborted, 1);
    if (this.seats.size === 0) return this.finish();
    setTimeout(() => this.finish(), ABORT);
  }

  private release(seat: Seat): void {
    this.seats.delete(seat);
    seat.stop();
    seat.thread.unref();
    const others = idle[seat.address.kind].add(seat.thread);
    seat.thread.once('exit', () => others.delete(seat.thread));
  }

  private discard(seat: Seat): void {
    this.seats.delete(seat);
    seat.stop();
    void seat.thread.terminate();
    seat.sleeper.wake();
  }
}

/** How the call failed that a thread was in: it hung there, or ended. */
function failureOf({ limits }: Job, { error }: Seat): Failure {
  if (!error) return { reason: 'timeout', message: timeoutMessage(limits) };
  const full = (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY';
  return { reason: full ? 'memory' : 'error', message: `its thread ended: ${error.message}` };
}

/** A call of a strategy: whose it is, its number in that game, and the count of all calls of the thread. */
interface CallUnderWay {
  position: number;
  step: number;
  count: number;
}

/** The call that a worker is in. It goes on meanwhile: what was read belongs together when the count is still the same. */
function callUnderWay(cells: Int32Array): CallUnderWay | undefined {
  for (;;) {
    const count = Atomics.load(cells, CALL.count);
    const step = Atomics.load(cells, CALL.step);
    const position = Atomics.load(cells, CALL.job) - 1;
    if (position < 0) return undefined;
    if (Atomics.load(cells, CALL.count) === count) return { position, step, count };
  }
}

/** The server of a lane that has one of its own. */
function serverOf(lane: LaneAddress): string {
  return lane.kind === 'vector' ? lane.url : 'sessions';
}

function maxSessions(lane: LaneAddress): number {
  return lane.kind === 'sessions' && 'servers' in lane.source ? lane.source.maxSessions ?? Infinity : Infinity;
}

function messageTimeout(lane: LaneAddress): number {
  return (lane.kind === 'vector' ? lane.messageTimeout : undefined) ?? MESSAGE_TIMEOUT;
}

function newThread(): Worker {
  return new Worker(path.join(__dirname, 'worker.js'), SANDBOX_THREAD);
}
