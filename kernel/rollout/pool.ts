import * as path from 'node:path';
import { Worker } from 'node:worker_threads';
import { withProgress, type Task } from '../display/progress/progress';
import type { LiveView } from '../episodes/live';
import { OpenEnvError } from '../openenv/errors';
import { Deadline } from '../common/threads/processorTime';
import type { RolloutEnvironment } from '../environments/environment';
import type { VectorSource } from '../environments/vectorEnv';
import { SANDBOX_THREAD, timeoutMessage, type Failure } from '../strategy/outcome';
import { CALL, QUEUE, type PlayRequest, type StrategyJob, type WorkerMessage } from './protocol';
import { LiveJobs } from './liveJobs';
import type { Played } from './recording';
import { unplayed } from './single';

/** Options of {@link playInPool}. */
export interface PoolOptions {
  /** Number of workers; by default one for each of the environment's sources. */
  workers?: number;
  /** Title of the progress bar. */
  title?: string;
  /** Is told of the jobs that have a `livePlace`. */
  live?: LiveView;
  signal: AbortSignal;
}

/** Largest number of concurrent episodes of a worker. */
const MAX_CONCURRENCY = 16;
/** Milliseconds between two checks of the workers. */
const WATCH = 25;
/** Milliseconds beyond the limit of a call after which its thread is ended. */
const GRACE = 400;
/** Milliseconds that workers have to answer an abort before their threads are ended. */
const ABORT = 100;
/** Milliseconds without a session after which the user is told. */
const WAIT_WARNING = 3000;
/** Lost threads after which a rollout still goes on, and lost servers for each of its workers. */
const RETRIES = 2;

/** Threads without work. They live as long as the process, and do not keep it alive. */
const idleThreads = new Set<Worker>();

/** The last rollout: one runs at a time, since each uses all processors. */
let last: Promise<unknown> = Promise.resolve();

/** The rollout that plays. */
let current: PoolRun | null = null;

/** Returns the number of episodes of an environment that policies play now. */
export function episodesUnderWay(env: RolloutEnvironment): number {
  return current?.env === env ? current.underWay : 0;
}

/**
 * Plays all jobs and resolves to what was played, job by job. Rejects with an
 * `OpenEnvError` when the environment fails as a whole.
 */
export function playInPool(env: RolloutEnvironment, jobs: StrategyJob[], options: PoolOptions): Promise<Played[]> {
  const mine = last.then(() =>
    withProgress(options.title ?? `Playing episodes of ${env.name}`, jobs.length, (task) =>
      new PoolRun(env, jobs, options, task).run(),
    ),
  );
  last = mine.catch(() => {});
  return mine;
}

/** A worker and the jobs that it has taken and not finished. */
interface PoolWorker {
  /** The index of its source among the rollout's, and that source when it began. */
  own: number;
  source: VectorSource;
  thread: Worker;
  taken: Set<number>;
  /** Why the thread ended, where that is known. */
  error?: Error;
  call: Int32Array;
  /** The call that was running at the last check, and its deadline. */
  seen: { call: CallUnderWay; deadline: Deadline } | undefined;
  stop(): void;
}

/** One rollout. */
class PoolRun {
  private readonly played: Played[] = [];
  private readonly workers = new Set<PoolWorker>();
  private readonly queue = new Int32Array(new SharedArrayBuffer(4 * QUEUE.length));
  /** Number of jobs that were played. */
  private done = 0;
  private retries = 0;
  private losses = 0;
  /** The sources of the workers. */
  private sources: VectorSource[] = [];
  /** Number of workers that wait for another server in place of a lost one. */
  private recovering = 0;
  /** Whether the environment has been asked to release its own session, and whether the user has been told of the wait. */
  private asked = false;
  private informed = false;
  private finish!: () => void;
  private fail!: (error: unknown) => void;
  /** Whether `run` has ended; what comes later is ignored. */
  private over = false;
  private readonly live: LiveJobs | undefined;

  constructor(
    readonly env: RolloutEnvironment,
    private readonly jobs: StrategyJob[],
    private readonly options: PoolOptions,
    private readonly task: Task,
  ) {
    this.live = options.live && new LiveJobs(options.live, jobs, env);
  }

  /** Number of episodes that workers have begun and not finished. */
  get underWay(): number {
    return [...this.workers].reduce((sum, { taken }) => sum + taken.size, 0);
  }

  async run(): Promise<Played[]> {
    current = this;
    const { signal, workers } = this.options;
    const finished = new Promise<void>((resolve, reject) => ([this.finish, this.fail] = [resolve, reject]));
    const aborted = (): void => this.abort();
    signal.addEventListener('abort', aborted);
    const watch = setInterval(() => this.watch(), WATCH);
    this.tellWanted();
    try {
      if (signal.aborted) this.abort();
      else if (this.jobs.length > 0) await Promise.race([this.start(workers), finished]);
      else this.finish();
      await finished;
    } finally {
      this.over = true;
      current = null;
      clearInterval(watch);
      signal.removeEventListener('abort', aborted);
      for (const worker of this.workers) this.discard(worker);
    }
    return this.jobs.map((job, position) => this.played[position] ?? unplayed(this.env, job));
  }

  private async start(workers: number | undefined): Promise<void> {
    const sources = await this.env.vectorSources(workers);
    if (this.over) return;
    this.sources = sources.slice(0, Math.min(workers ?? sources.length, this.jobs.length));
    for (const own of this.sources.keys()) this.startWorker(own, [], this.sources.length);
  }

  /** Starts a worker, on the jobs `mine` first, then on the queue. */
  private startWorker(own: number, mine: number[], workers: number): void {
    const { sources, jobs, queue } = this;
    const source = sources[own];
    const [thread = newThread()] = idleThreads;
    idleThreads.delete(thread);
    const worker: PoolWorker = {
      own,
      source,
      thread,
      taken: new Set(mine),
      call: new Int32Array(new SharedArrayBuffer(4 * CALL.length)),
      seen: undefined,
      stop: () =>
        thread
          .removeAllListeners('message')
          .removeAllListeners('exit')
          .removeAllListeners('error')
          .on('error', () => {}),
    };
    thread.on('error', (error) => void (worker.error = error));
    thread.on('message', (message: WorkerMessage) => this.receive(worker, message));
    thread.on('exit', () => this.replace(worker));
    thread.ref();
    this.workers.add(worker);
    const concurrency = Math.min(
      MAX_CONCURRENCY,
      Math.ceil(Math.min(jobs.length, source.maxEnvs ?? Infinity) / workers),
    );
    thread.postMessage({
      source,
      concurrency,
      jobs,
      mine,
      queue,
      call: worker.call,
    } satisfies PlayRequest);
  }

  private receive(worker: PoolWorker, message: WorkerMessage): void {
    switch (message.type) {
      case 'taken':
        worker.taken.add(message.position);
        this.live?.begun(message.position);
        break;
      case 'done':
        worker.taken.delete(message.position);
        this.played[message.position] = message.played;
        this.live?.ended(message.position, message.played);
        this.task.update(++this.done);
        break;
      case 'live':
        this.live?.show(message.episodes, message.screen);
        break;
      case 'idle':
        this.release(worker);
        if (this.workers.size === 0 && this.recovering === 0) this.finish();
        break;
      case 'waits':
        this.waits(message.why, message.milliseconds);
        break;
      case 'failed':
        this.discard(worker);
        void this.recover(worker, message);
    }
  }

  /** Asks the environment to release its own session where servers are full, and tells the user of a long wait. */
  private waits(why: 'full' | 'away', milliseconds: number): void {
    if (!this.asked && why === 'full') {
      this.asked = true;
      void this.env.release?.().catch(() => {});
    }
    if (milliseconds < WAIT_WARNING || this.informed) return;
    this.informed = true;
    console.log(
      why === 'full'
        ? `${this.env.name} has no free session: the rollout waits for one.`
        : `${this.env.name} does not answer: the rollout waits for it.`,
    );
  }

  /** Continues with other servers where one is lost or does not answer, which the environment replaces; else fails. */
  private async recover(
    worker: PoolWorker,
    { message, code }: { message: string; code: string | undefined },
  ): Promise<void> {
    const lost = code === 'CONNECTION_LOST' || code === 'CONNECTION_FAILED' || code === 'TIMEOUT';
    const error = new OpenEnvError((code ?? 'EXECUTION_ERROR') as OpenEnvError['code'], message);
    if (!lost || this.losses++ >= RETRIES * this.sources.length) return this.fail(error);
    this.recovering++;
    try {
      const sources = (await this.env.vectorSources(this.options.workers)).slice(0, this.sources.length);
      if (this.over) return;
      this.sources = sources;
      const busy = new Set([...this.workers].map(({ source }) => source.server));
      const free = sources.findIndex(({ server }) => !busy.has(server));
      this.startWorker(Math.max(0, free), [...worker.taken], sources.length);
    } catch (failure) {
      this.fail(failure);
    } finally {
      this.recovering--;
    }
  }

  /** Tells the workers how many of the episodes somebody looks at now. */
  private tellWanted(): void {
    Atomics.store(this.queue, QUEUE.live, this.live?.wanted ?? 0);
  }

  /** Tells the workers what is looked at, and replaces threads that hang in a call which the sandbox cannot end. */
  private watch(): void {
    this.tellWanted();
    for (const worker of this.workers) {
      const call = callUnderWay(worker.call);
      if (!call) {
        worker.seen = undefined;
      } else if (call.count !== worker.seen?.call.count) {
        const limit = this.jobs[call.position].limits.callTimeLimit * 1000 + GRACE;
        worker.seen = { call, deadline: new Deadline(Atomics.load(worker.call, CALL.thread), limit) };
      } else if (worker.seen.deadline.over) {
        this.replace(worker, call);
      }
    }
  }

  /**
   * Replaces a thread that has ended or hangs. A new one plays its unfinished episodes
   * again, from their seeds; the call that it was in fails without being made again.
   */
  private replace(worker: PoolWorker, call = callUnderWay(worker.call)): void {
    if (!this.workers.has(worker)) return;
    this.discard(worker);
    if (call) {
      const job = this.jobs[call.position];
      job.broken = { step: call.step, failure: failureOf(job, worker) };
    } else if (this.retries++ >= RETRIES) {
      return this.fail(
        new Error(
          `A worker thread of the rollout ended unexpectedly, again and again: ${worker.error?.message ?? 'no reason given'}.`,
        ),
      );
    }
    const unfinished = [...worker.taken].filter((taken) => !this.played[taken]);
    this.startWorker(worker.own, unfinished, this.workers.size + 1);
  }

  /** Asks the workers to end their episodes; those that do not answer within {@link ABORT} milliseconds are ended. */
  private abort(): void {
    Atomics.store(this.queue, QUEUE.aborted, 1);
    if (this.workers.size === 0) return this.finish();
    setTimeout(() => this.finish(), ABORT);
  }

  private release(worker: PoolWorker): void {
    this.workers.delete(worker);
    worker.stop();
    worker.thread.unref();
    idleThreads.add(worker.thread);
    worker.thread.once('exit', () => idleThreads.delete(worker.thread));
  }

  private discard(worker: PoolWorker): void {
    this.workers.delete(worker);
    worker.stop();
    void worker.thread.terminate();
  }
}

/** Returns how the call failed in which a thread hung or ended. */
function failureOf({ limits }: StrategyJob, { error }: PoolWorker): Failure {
  if (!error) return { reason: 'timeout', message: timeoutMessage(limits) };
  const full = (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY';
  return { reason: full ? 'memory' : 'error', message: `its thread ended: ${error.message}` };
}

/**
 * A running call of a strategy: the position of its job, its number in that episode,
 * and the count of all calls of the thread.
 */
interface CallUnderWay {
  position: number;
  step: number;
  count: number;
}

/** Returns the call that a worker is in. The worker goes on meanwhile, so the cells are read until the count stays the same. */
function callUnderWay(cells: Int32Array): CallUnderWay | undefined {
  for (;;) {
    const count = Atomics.load(cells, CALL.count);
    const step = Atomics.load(cells, CALL.step);
    const position = Atomics.load(cells, CALL.job) - 1;
    if (position < 0) return undefined;
    if (Atomics.load(cells, CALL.count) === count) return { position, step, count };
  }
}

function newThread(): Worker {
  return new Worker(path.join(__dirname, 'worker.js'), SANDBOX_THREAD);
}
