import { AsyncLocalStorage, AsyncResource, createHook, executionAsyncResource } from 'node:async_hooks';
import { leaveCallback, runReadyJobs, watched, WatchdogError } from '../common/watchdog';
import { host } from '../display/host';

/** What became of a call. `late`: its time was up; `skipped`: it was not made, or not waited for, as another was late. */
export type Outcome =
  | { kind: 'returned'; value: unknown }
  | { kind: 'threw'; error: unknown }
  | { kind: 'late' }
  | { kind: 'skipped' };

export interface CallOptions {
  /** Milliseconds from a call to its result. */
  milliseconds: number;
  signal: AbortSignal;
}

/**
 * Calls user code `count` times, and waits for all results; the promises among
 * them are waited for together. A call that takes too long ends the rest.
 *
 * #### Notes
 * The code may do anything, so nothing of it runs unwatched: neither the calls
 * nor what follows an `await` in them. What computes without a pause is ended
 * where it is, by its time or by an interrupt; this thread, and what is in its
 * memory, lives on.
 *
 * @throws the signal's reason once it is aborted
 */
export function callEach(count: number, call: (index: number) => unknown, options: CallOptions): Promise<Outcome[]> {
  return new Calls(count, call, options).run();
}

/** Milliseconds for which calls share a watchdog. Each has its own time all the same: the watchdog has this much more. */
const SLICE = 50;
/** Milliseconds that a callback has at least: what others left it of its call's time may be next to nothing. */
const SHORTEST = 1000;
/** Milliseconds that a callback has when nobody waits for its call any more. Less could end Node.js's own code half done. */
const LEFT_OVER = 50;
/** How often jobs that are ready are ended, each of which computes for too long. */
const MOST_ROUNDS = 100;
/** Milliseconds in which an interrupt that has ended a call also reaches the signal. */
const SIGNAL_AFTER = 1000;

/** A call that is under way. */
interface Running {
  calls: Calls;
  index: number;
}

class Calls {
  done = false;
  private readonly outcomes: Outcome[] = [];
  private readonly started: number[] = [];
  /** By call: whether it has come to its end, waited for or not. */
  private readonly ended: boolean[] = [];
  private settled = 0;
  /** The call that is made next. */
  private next = 0;
  /** An interrupt has ended a call. */
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private resolve!: (outcomes: Outcome[]) => void;
  private reject!: (reason: unknown) => void;
  private readonly compute = host().computation?.() ?? ((part: () => void) => part());
  private readonly onAbort = () => this.end(() => this.reject(this.options.signal.reason));

  constructor(
    private readonly count: number,
    private readonly call: (index: number) => unknown,
    private readonly options: CallOptions,
  ) {}

  run(): Promise<Outcome[]> {
    const { signal } = this.options;
    return new Promise((resolve, reject) => {
      Object.assign(this, { resolve, reject });
      if (signal.aborted) return this.onAbort();
      signal.addEventListener('abort', this.onAbort, { once: true });
      // Not in the job of a promise: there the jobs of others cannot be run.
      setImmediate(() => this.begin());
    });
  }

  /** Makes the calls, a slice of time together. */
  private begin(): void {
    if (this.done) return;
    const end = performance.now() + SLICE;
    const calls = () => {
      while (this.next < this.count && !this.done && !this.stopped && performance.now() < end) this.make(this.next++);
    };
    this.watch(calls, this.options.milliseconds + SLICE, () => this.next - 1);
    if (this.done || this.stopped) return;
    if (this.next < this.count) setImmediate(() => this.begin());
    else this.wait();
  }

  private make(index: number): void {
    this.started[index] = performance.now();
    let value: unknown;
    try {
      value = running.run({ calls: this, index }, () => this.call(index));
      if (typeof (value as PromiseLike<unknown> | null | undefined)?.then !== 'function') return this.settle(index, { kind: 'returned', value });
    } catch (error) {
      return this.settle(index, { kind: 'threw', error });
    }
    Promise.resolve(value).then(
      (value) => this.settle(index, { kind: 'returned', value }),
      (error) => this.settle(index, { kind: 'threw', error }),
    );
    runReadyJobs();
  }

  private settle(index: number, outcome: Outcome): void {
    if (this.ended[index]) return;
    this.ended[index] = true;
    if (this.done) return this.rest();
    if (outcome.kind === 'threw' && (outcome.error as Error | null)?.name === 'KeyboardInterrupt') return this.interrupted(outcome.error);
    this.outcomes[index] = outcome;
    if (++this.settled === this.count) this.finish();
  }

  /** All calls were made: waits for those that gave promises. */
  private wait(): void {
    if (this.settled === this.count) return this.finish();
    waiting.add(this);
    callbacks.enable();
    this.timer = setTimeout(() => this.look(), Math.min(this.options.milliseconds, 2 ** 31 - 1));
  }

  /** Gives up the first call whose time is up. */
  private look(): void {
    const { milliseconds } = this.options;
    const left = this.started.map((started, i) => (this.outcomes[i] ? Infinity : started + milliseconds - performance.now()));
    const shortest = Math.min(...left);
    if (shortest > 0) this.timer = setTimeout(() => this.look(), Math.min(Math.ceil(shortest), 2 ** 31 - 1));
    else this.late(left.indexOf(shortest));
  }

  /** Whether a call computes that has not come to its end. */
  runs(index: number): boolean {
    return !this.ended[index];
  }

  /** Runs a part of a call that the event loop has come to. */
  runPart(index: number, part: () => void): void {
    const left = this.started[index] + this.options.milliseconds - performance.now();
    this.watch(part, this.done || this.stopped ? LEFT_OVER : Math.max(SHORTEST, left), () => index);
  }

  /** @param current the call that computes */
  private watch(work: () => void, milliseconds: number, current: () => number): void {
    const outer = inWatch;
    inWatch = true;
    const part = () => watched(work, milliseconds);
    try {
      // An interrupt is not for what is left over of one: its time ends that.
      if (this.done || this.stopped) part();
      else this.compute(part);
    } catch (error) {
      if (!(error instanceof WatchdogError)) {
        if ((error as Error | null)?.name !== 'KeyboardInterrupt') throw error;
        return this.interrupted(error);
      }
      if (error.reason === 'timeout') this.late(current());
      else this.interrupted(error);
      if (finishJobs() || error.unbalanced) leaveCallback();
    } finally {
      inWatch = outer;
    }
  }

  private late(index: number): void {
    if (this.done || this.stopped) return;
    this.outcomes[index] = { kind: 'late' };
    this.finish();
  }

  /** An interrupt has ended a call: its signal is on the way, and says more. */
  private interrupted(error: unknown): void {
    if (this.done || this.stopped) return;
    this.stopped = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(() => this.reject(error)), SIGNAL_AFTER);
    // In a terminal the signal has to reach those who listen for it.
    if (error instanceof WatchdogError && host().console) process.kill(process.pid, 'SIGINT');
  }

  private finish(): void {
    for (let i = 0; i < this.count; i++) this.outcomes[i] ??= { kind: 'skipped' };
    this.end(() => this.resolve(this.outcomes));
  }

  /** @param tell in a callback of its own, as what follows has all the time that it wants */
  private end(tell: () => void): void {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.timer);
    this.options.signal.removeEventListener('abort', this.onAbort);
    this.rest();
    running.exit(() => setImmediate(tell));
  }

  /** Calls that nobody waits for any more are watched until they come to an end. */
  private rest(): void {
    for (let i = 0; i < this.next; i++) if (!this.ended[i]) return;
    waiting.delete(this);
    if (waiting.size === 0) callbacks.disable();
  }
}

/** The call that a callback of the event loop belongs to. */
const running = new AsyncLocalStorage<Running>();
const waiting = new Set<Calls>();
let inWatch = false;
/** What the callback of the event loop belongs to whose jobs will run watched. */
let pending: Running | null = null;

/** Runs the jobs that ended work has left, so that none is mixed up with those of others. Returns whether {@link leaveCallback} is needed for them. */
function finishJobs(): boolean {
  let unbalanced = false;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    try {
      watched(runReadyJobs, LEFT_OVER);
      return unbalanced;
    } catch (error) {
      if (error instanceof WatchdogError) unbalanced ||= error.unbalanced;
    }
  }
  return unbalanced;
}

/** What Node.js calls of a timer, and when: after the hook `before`. */
type Timer = Partial<Record<'_onTimeout' | '_onImmediate', (...args: unknown[]) => void>>;

/** Before a callback of a call: it shall run watched, where it is a timer's, and so shall the jobs that it makes ready. */
const callbacks = createHook({
  before() {
    const own = running.getStore();
    const resource = executionAsyncResource();
    if (isJob(resource)) return;
    // The callback before ended with an exception: what was to follow it comes late, among the jobs of others.
    if (pending && own?.calls !== pending.calls) pending = null;
    if (inWatch || pending || !own?.calls.runs(own.index)) return;
    watchTimer(resource, own);
    pending = own;
    process.nextTick(() => {
      if (pending !== own) return;
      pending = null;
      own.calls.runPart(own.index, runReadyJobs);
    });
  },
});

const watchedTimers = new WeakSet<object>();

/** Whether something runs behind a callback of the event loop, not as one: a promise's job, or one of `process.nextTick` or `queueMicrotask`. */
function isJob(resource: object): boolean {
  return resource instanceof Promise || resource instanceof AsyncResource || Object.getPrototypeOf(resource) === Object.prototype;
}

function watchTimer(timer: Timer, { calls, index }: Running): void {
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
