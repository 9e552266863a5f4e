import { leaveCallback, runReadyJobs, watched, WatchdogError } from '../common/threads/watchdog';
import { cellContext } from '../display/cellContext';
import { follow, inWatch, newest, running, unfollow, type Followed } from './callbacks';

/** Outcome of a call. `late`: it exceeded its time; `skipped`: it was not made, or not awaited, because another was late. */
export type Outcome =
  | { kind: 'returned'; value: unknown }
  | { kind: 'threw'; error: unknown }
  | { kind: 'late' }
  | { kind: 'skipped' };

export interface CallOptions {
  /** Milliseconds in which a call must give its result. */
  milliseconds: number;
  signal: AbortSignal;
}

/**
 * Calls user code `count` times and resolves to the outcomes, call by call; promises
 * among the results are awaited together. A call that takes too long ends the rest.
 *
 * #### Notes
 * The code may do anything, so none of it runs unwatched: neither the calls nor what
 * follows an `await` in them. A call that computes without a pause is ended by its
 * time or by an interrupt; this thread and its memory live on.
 *
 * @throws the signal's reason when it is aborted
 */
export function callEach(count: number, call: (index: number) => unknown, options: CallOptions): Promise<Outcome[]> {
  return new Calls(count, call, options).run();
}

/** Milliseconds for which calls share a watchdog, whose limit is longer by as much, so that each call has its whole time. */
const SLICE = 50;
/** Milliseconds that a callback has at least, however little of its call's time is left. */
const SHORTEST = 1000;
/** Milliseconds that a callback has when its call's result is no longer awaited. Less could end Node.js's own code half done. */
const LEFT_OVER = 50;
/** Times that ready jobs which compute for too long are ended, at most. */
const MOST_ROUNDS = 100;
/** Milliseconds without activity of the other calls after which they are abandoned, when one was late. */
const QUIET = 300;
/** Milliseconds within which an interrupt that ended a call also reaches the signal. */
const SIGNAL_AFTER = 1000;
/** The longest delay of a timer in milliseconds. */
const LONGEST = 2 ** 31 - 1;

class Calls implements Followed {
  awaited = true;
  private readonly outcomes: Outcome[] = [];
  private readonly started: number[] = [];
  /** By call: whether it has ended, awaited or not. */
  private readonly ended: boolean[] = [];
  /** The call that is made next. */
  private next = 0;
  /** Whether no more calls are made: one was late, or an interrupt ended one. */
  private closing = false;
  private timer: NodeJS.Timeout | undefined;
  private resolve!: (outcomes: Outcome[]) => void;
  private reject!: (reason: unknown) => void;
  private readonly compute = cellContext().computation?.() ?? ((part: () => void) => part());
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

  runs(index: number): boolean {
    return index < this.next && !this.ended[index];
  }

  runPart(index: number, part: () => void): void {
    const left = this.options.milliseconds - (performance.now() - (this.started[index] ?? this.started[0]));
    this.watch(part, this.awaited && !this.closing ? Math.max(SHORTEST, left) : LEFT_OVER, () =>
      index < 0 && newest?.calls === this ? newest.index : index,
    );
  }

  /** Makes the calls, those of a time slice together. */
  private begin(): void {
    if (!this.awaited) return;
    const end = performance.now() + SLICE;
    const calls = () => {
      while (this.next < this.count && this.awaited && !this.closing && performance.now() < end) this.make(this.next++);
    };
    this.watch(calls, this.options.milliseconds + SLICE, () => this.next - 1);
    if (!this.awaited || this.closing) return;
    if (this.next < this.count) setImmediate(() => this.begin());
    else if (this.isSettled()) this.finish();
    else this.timer = setTimeout(() => this.look(), Math.min(this.options.milliseconds, LONGEST));
  }

  private make(index: number): void {
    this.started[index] = performance.now();
    let value: unknown;
    try {
      value = running.run({ calls: this, index, ranAt: 0 }, () => this.call(index));
      if (typeof (value as PromiseLike<unknown> | null | undefined)?.then !== 'function')
        return this.settle(index, { kind: 'returned', value });
    } catch (error) {
      return this.settle(index, { kind: 'threw', error });
    }
    follow(this);
    Promise.resolve(value).then(
      (value) => this.settle(index, { kind: 'returned', value }),
      (error) => this.settle(index, { kind: 'threw', error }),
    );
    runReadyJobs();
  }

  private settle(index: number, outcome: Outcome): void {
    if (this.ended[index]) return;
    this.ended[index] = true;
    if (!this.awaited) return this.rest();
    if (outcome.kind === 'threw' && (outcome.error as Error | null)?.name === 'KeyboardInterrupt')
      return this.interrupted(outcome.error);
    this.outcomes[index] ??= outcome;
    if (!this.closing && this.next === this.count && this.isSettled()) this.finish();
  }

  /** Returns whether every call made has an outcome. */
  private isSettled(): boolean {
    for (let i = 0; i < this.next; i++) if (!this.outcomes[i]) return false;
    return true;
  }

  /** Ends the first call whose time is up. */
  private look(): void {
    const left = this.started.map((started, i) =>
      this.outcomes[i] ? Infinity : started + this.options.milliseconds - performance.now(),
    );
    const shortest = Math.min(...left);
    if (shortest > 0) this.timer = setTimeout(() => this.look(), Math.min(Math.ceil(shortest), LONGEST));
    else this.late(left.indexOf(shortest));
  }

  /** @param current the call that computes */
  private watch(work: () => void, milliseconds: number, current: () => number): void {
    const part = () => inWatch(() => watched(work, milliseconds));
    try {
      // An interrupt is not for what is left over of one: its time ends that.
      if (this.awaited && !this.closing) this.compute(part);
      else part();
    } catch (error) {
      if (!(error instanceof WatchdogError)) {
        if ((error as Error | null)?.name !== 'KeyboardInterrupt') throw error;
        return this.interrupted(error);
      }
      if (error.reason === 'timeout') this.late(current());
      else this.interrupted(error);
      if (inWatch(finishJobs) || error.unbalanced) leaveCallback();
    }
  }

  /**
   * Ends the calls because one took too long. The others are abandoned once they are
   * quiet, so that none computes for long unwatched later.
   */
  private late(index: number): void {
    if (!this.awaited || this.closing) return;
    this.closing = true;
    this.outcomes[Math.max(0, index)] = { kind: 'late' };
    const since = performance.now();
    const wait = () => {
      const quiet = performance.now() - Math.max(since, newest?.calls === this ? newest.ranAt : 0) > QUIET;
      if (quiet || this.isSettled()) this.finish();
      else this.timer = setTimeout(wait, QUIET / 10);
    };
    clearTimeout(this.timer);
    // The timer is not a sign of the call that was late.
    running.exit(wait);
  }

  /** Ends the calls because an interrupt ended one. Its signal, which says more, follows. */
  private interrupted(error: unknown): void {
    if (!this.awaited || this.closing) return;
    this.closing = true;
    clearTimeout(this.timer);
    this.timer = running.exit(() => setTimeout(() => this.end(() => this.reject(error)), SIGNAL_AFTER));
    // In a terminal the signal has to reach those who listen for it.
    if (error instanceof WatchdogError && cellContext().console) process.kill(process.pid, 'SIGINT');
  }

  private finish(): void {
    for (let i = 0; i < this.count; i++) this.outcomes[i] ??= { kind: 'skipped' };
    this.end(() => this.resolve(this.outcomes));
  }

  /** @param settle called in a callback of its own, which is not watched */
  private end(settle: () => void): void {
    if (!this.awaited) return;
    this.awaited = false;
    clearTimeout(this.timer);
    this.options.signal.removeEventListener('abort', this.onAbort);
    this.rest();
    running.exit(() => setImmediate(settle));
  }

  /** Stops watching once every call has ended: abandoned ones are watched until then. */
  private rest(): void {
    for (let i = 0; i < this.next; i++) if (!this.ended[i]) return;
    unfollow(this);
  }
}

/**
 * Runs the jobs that ended work has left, so that they do not mix with those of
 * others. Returns whether {@link leaveCallback} is needed for them.
 */
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
