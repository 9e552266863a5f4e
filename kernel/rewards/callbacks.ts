import { AsyncLocalStorage, AsyncResource, createHook, executionAsyncResource } from 'node:async_hooks';
import { MessagePort } from 'node:worker_threads';
import { runReadyJobs } from '../common/threads/watchdog';

/*
 * Callbacks of the event loop while calls of user code wait for something: the
 * callbacks themselves, where they are timers of a call, and the jobs of
 * promises behind them run watched.
 *
 * A callback belongs to the call that has asked for it. But a connection that
 * is kept for others belongs to whoever opened it, so that any callback may
 * bring what a call waits for: while calls are waited for, all are watched, but
 * messages of other threads, by which the kernel is asked to run something.
 */

/** Calls whose callbacks are watched. */
export interface Followed {
  /** Whether their results are awaited. */
  readonly awaited: boolean;
  /** Returns whether a call has begun and not ended. */
  runs(index: number): boolean;
  /** Runs a part of a call under the watchdog; `index` −1 stands for an unknown call. */
  runPart(index: number, part: () => void): void;
}

/** A call that is running. */
export interface Running {
  calls: Followed;
  index: number;
  /** Time at which a part of it last ran, by `performance.now()`. */
  ranAt: number;
}

/** The call that the running code belongs to. */
export const running = new AsyncLocalStorage<Running>();

/** The call of which a part ran last. */
export let newest: Running | null = null;

const followed = new Set<Followed>();

/** Starts watching the callbacks of `calls`. */
export function follow(calls: Followed): void {
  followed.add(calls);
  hook.enable();
}

export function unfollow(calls: Followed): void {
  followed.delete(calls);
  if (followed.size === 0) hook.disable();
}

/** Runs work that is watched already. */
export function inWatch<T>(work: () => T): T {
  const outer = watching;
  watching = true;
  try {
    return work();
  } finally {
    watching = outer;
  }
}

/** Returns whether the running code belongs to a call that has not ended and whose result is no longer awaited. */
export function isAbandoned(): boolean {
  if (followed.size === 0) return false;
  const own = running.getStore();
  return own !== undefined && !own.calls.awaited && own.calls.runs(own.index);
}

let watching = false;
/** The callback after which jobs run watched: its ID, and whether it has ended. */
let pending: { id: number; ended: boolean } | null = null;

const hook = createHook({
  before(id) {
    const own = running.getStore();
    if (own) Object.assign((newest = own), { ranAt: performance.now() });
    const resource = executionAsyncResource();
    if (watching || isJob(resource)) return;
    // Where a callback ended with an exception, what was to follow it would come among the jobs of others.
    if (pending?.ended) pending = null;
    if (pending) return;
    const calls = own?.calls.runs(own.index)
      ? own.calls
      : resource instanceof MessagePort
        ? undefined
        : [...followed].find(({ awaited }) => awaited);
    if (!calls) return;
    const index = calls === own?.calls ? own.index : -1;
    if (index >= 0) watchTimer(resource, calls, index);
    const mine = (pending = { id, ended: false });
    process.nextTick(() => {
      if (pending !== mine) return;
      pending = null;
      calls.runPart(index, runReadyJobs);
    });
  },
  after(id) {
    if (pending?.id === id) pending.ended = true;
  },
});

/**
 * Returns whether a resource is a job that runs after a callback of the event loop: of
 * a promise, `process.nextTick` or `queueMicrotask`.
 */
function isJob(resource: object): boolean {
  return (
    resource instanceof Promise ||
    resource instanceof AsyncResource ||
    Object.getPrototypeOf(resource) === Object.prototype
  );
}

/** The methods of a timer that Node.js calls, after the hook `before`. */
type Timer = Partial<Record<'_onTimeout' | '_onImmediate', (...args: unknown[]) => void>>;

const watchedTimers = new WeakSet<object>();

function watchTimer(timer: Timer, calls: Followed, index: number): void {
  if (watchedTimers.has(timer)) return;
  for (const name of ['_onTimeout', '_onImmediate'] as const) {
    const callback = timer[name];
    if (typeof callback !== 'function') continue;
    watchedTimers.add(timer);
    timer[name] = function (...args) {
      calls.runPart(index, () => callback.apply(this, args));
    };
  }
}
