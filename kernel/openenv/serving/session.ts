import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { EpisodeRunner } from './episode';
import type { OpenEnvError } from '../errors';
import { logError } from './thrown';

/** The session whose work is running, also in its timers and promises. */
export const sessionAtWork = new AsyncLocalStorage<Session>();

/** A session: an environment that does one piece of work after another, whoever asks for it. */
export class Session {
  /** `session_id` for clients. */
  readonly id = randomUUID();
  /** Time at which it last began or ended work, in milliseconds, as `Date.now()`. */
  lastActivity = Date.now();
  /** Whether it has been played: reset, stepped, or its tools used. */
  played = false;
  private work: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private closed: Promise<void> | undefined;
  /** Ends the session with an error. */
  fail: (reason: OpenEnvError) => void = () => {};

  constructor(readonly runner: EpisodeRunner) {}

  /** Returns whether work is running or waiting. */
  get busy(): boolean {
    return this.waiting > 0;
  }

  /** Runs `work` after all work before it. */
  do<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    this.waiting++;
    this.lastActivity = Date.now();
    const done = this.work
      .then(() => sessionAtWork.run(this, work))
      .finally(() => {
        this.waiting--;
        this.lastActivity = Date.now();
      });
    this.work = done.catch(() => {});
    return done;
  }

  /** Closes the environment, after its current work. */
  close(): Promise<void> {
    return (this.closed ??= this.work.then(() => closeQuietly(this.runner)));
  }
}

/** Closes an environment. What it throws is logged, for its author. */
export async function closeQuietly(runner: EpisodeRunner): Promise<void> {
  try {
    await runner.close();
  } catch (error) {
    logError(`close() of ${runner.environment.constructor.name} failed:`, error);
  }
}
