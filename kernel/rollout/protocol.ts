import type { VectorSource } from '../environments/vectorEnv';
import type { PixelScreen } from '../episodes/live';
import type { Failure, Program, SandboxLimits } from '../strategy/outcome';
import type { LiveShot } from './live';
import type { Job, Played } from './recording';

/** A job whose policy is a strategy, as it travels to a worker thread. */
export interface StrategyJob extends Job {
  program: Program;
  limits: SandboxLimits;
  /**
   * Set where the strategy broke an earlier thread: its call number `step` (−1: its top
   * level) fails like this without being made.
   */
  broken?: { step: number; failure: Failure };
}

/** Main thread → worker: jobs to play. */
export interface PlayRequest {
  source: VectorSource;
  /** Largest number of concurrent episodes. */
  concurrency: number;
  jobs: StrategyJob[];
  /** Positions in `jobs` that this worker plays before it takes from the queue. */
  mine: number[];
  /** Shared by all workers of a rollout: see {@link QUEUE}. */
  queue: Int32Array;
  /** Shared with this worker: see {@link CALL}. */
  call: Int32Array;
}

/** Cells of {@link PlayRequest.queue}: position of the next job, 1 when the rollout is aborted, the number of open vector environments, and that of the episodes that are shown live. */
export const QUEUE = { next: 0, aborted: 1, open: 2, live: 3, length: 4 };

/**
 * Cells of {@link PlayRequest.call}, by which a worker is watched: the job whose
 * strategy is being called (its position + 1, or 0 for none), the number of that call
 * in its episode, the count of all calls, and the ID of the worker's thread.
 */
export const CALL = { job: 0, step: 1, count: 2, thread: 3, length: 4 };

/** Worker → main thread. */
export type WorkerMessage =
  | { type: 'taken'; position: number }
  | { type: 'done'; position: number; played: Played }
  /** Episodes as they are now. */
  | { type: 'live'; episodes: Array<Omit<LiveShot, 'job'> & { position: number }>; screen?: PixelScreen }
  /** No job is left. */
  | { type: 'idle' }
  /** The servers have been full, or have not answered, for `milliseconds`. */
  | { type: 'waits'; why: 'full' | 'away'; milliseconds: number }
  /** The environment could not be played. */
  | { type: 'failed'; message: string; code: string | undefined };
