import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { EpisodeRunner } from './episode';
import type { OpenEnvError } from '../errors';
import { logError } from './thrown';

/** The session whose work is being done, also in what that work left for later: timers, promises. */
export const sessionAtWork = new AsyncLocalStorage<Session>();

/** A session: an environment that does one thing after another, whoever asks for it. */
export class Session {
  /** Its name for clients, as `session_id`. */
  readonly id = randomUUID();
  /** Time at which it last began or ended some work: milliseconds, as `Date.now()`. */
  lastActivity = Date.now();
  /** True once it was played: reset, stepped, or its tools used. */
  played = false;
  private work: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private closed: Promise<void> | undefined;
  /** Ends the session. */
  fail: (reason: OpenEnvError) => void = () => {};

  constructor(readonly runner: EpisodeRunner) {}

  /** Returns whether there is work. */
  get busy(): boolean {
    return this.waiting > 0;
  }

  /** Does some work after what came before it. */
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

/** Closes an environment. Nobody waits for what it says at its end but the author: the log has it. */
export async function closeQuietly(runner: EpisodeRunner): Promise<void> {
  try {
    await runner.close();
  } catch (error) {
    logError(`close() of ${runner.environment.constructor.name} failed:`, error);
  }
}
