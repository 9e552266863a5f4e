/**
 * Processor time of threads. What the machine gives to other processes in the
 * meantime does not count, so that the same strategy keeps its limits, or does
 * not, on a quiet machine and on a loaded one.
 *
 * Linux gives the processor time of each thread. Elsewhere that of the whole
 * process stands in for it, which is never less. No more than the clock shows
 * is ever counted, and a suspended process counts nothing.
 */
import * as fs from 'node:fs';

/** Returns the ID of the calling thread for {@link Deadline}; 0 when the system does not give it. */
export function threadId(): number {
  try {
    return Number(fs.readlinkSync('/proc/thread-self').split('/').pop());
  } catch {
    return 0;
  }
}

/** Processor time of the calling thread at its last reading, and the clock's time then, in milliseconds. */
let known = 0;
let knownAt = -Infinity;

/** Milliseconds for which a reading is used again: it takes 3 µs in a quiet program and several times that in a busy one, as much as a call of a strategy. */
const FRESH = 50;
/** Milliseconds for which the clock alone is exact enough. */
const SHORT = 1;

function read(): number {
  known = ownTime();
  knownAt = performance.now();
  return known;
}

/**
 * Measures the processor time of the calling thread, in milliseconds. Most of
 * what is measured is short, and the clock is enough. The rest is exact from
 * the first reading after the start on. The time before that reading is known
 * to within the age of the last one, at most {@link FRESH}: beyond
 * {@link SHORT}, what is not certain does not count, so that a thread that lost
 * the processor is not charged with what it did before the start.
 */
export class Stopwatch {
  private started = 0;
  /** The last reading before the start, and its age then. */
  private before = 0;
  private age = 0;
  /** Processor time at the first reading after the start, and how much since the start counts. */
  private first: { at: number; counts: number } | undefined;

  start(): void {
    this.started = performance.now();
    this.first = undefined;
    if (this.started - knownAt > FRESH) read();
    this.before = known;
    this.age = Math.max(0, this.started - knownAt);
  }

  /** Milliseconds since the start. */
  get elapsed(): number {
    const byTheClock = performance.now() - this.started;
    if (byTheClock < SHORT) return byTheClock;
    const now = read();
    this.first ??= { at: now, counts: Math.min(byTheClock, Math.max(SHORT, now - this.before - this.age)) };
    return this.first.counts + now - this.first.at;
  }

  /** Returns whether more time has passed. It is cheap enough to be called often. */
  exceeds(milliseconds: number): boolean {
    const byTheClock = performance.now() - this.started;
    if (byTheClock > SHORT && !this.first) return this.elapsed > milliseconds;
    return byTheClock > milliseconds && this.elapsed > milliseconds;
  }
}

/** Milliseconds by the clock, beyond its processor time, after which a thread is given up. */
const LONGEST = 60_000;

/** Knows when another thread of this process has used its processor time. */
export class Deadline {
  private readonly started = performance.now();
  private before: number | undefined;

  /** @param thread its {@link threadId} @param milliseconds of processor time from now on */
  constructor(
    private readonly thread: number,
    private readonly milliseconds: number,
  ) {
    this.before = timeOf(thread);
  }

  get over(): boolean {
    const byTheClock = performance.now() - this.started;
    if (byTheClock <= this.milliseconds) return false;
    if (byTheClock > this.milliseconds + LONGEST) return true;
    const now = timeOf(this.thread);
    this.before ??= now;
    return now === Infinity || (now !== undefined && now - this.before! > this.milliseconds);
  }
}

/** Returns whether a thread of this process has ended; `false` when the system does not say. */
export function hasEnded(thread: number): boolean {
  return thread !== 0 && !fs.existsSync(`/proc/self/task/${thread}`);
}

/** Returns the processor time of a thread, in milliseconds: `Infinity` when it has ended, undefined when it cannot be read just now. */
function timeOf(thread: number): number | undefined {
  if (thread === 0) return processTime();
  try {
    return inMilliseconds(fs.readFileSync(`/proc/self/task/${thread}/schedstat`));
  } catch {
    return hasEnded(thread) ? Infinity : undefined;
  }
}

const buffer = Buffer.alloc(64);
/** The statistics of the calling thread, open as long as it lives: every thread loads this module for itself. */
const ownFile = openOwn();

function openOwn(): number | undefined {
  try {
    return fs.openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return undefined;
  }
}

function ownTime(): number {
  if (ownFile === undefined) return processTime();
  process.cpuUsage(); // Brings the thread's own account up to now, which is otherwise that of the last tick.
  fs.readSync(ownFile, buffer, 0, buffer.length, 0);
  return inMilliseconds(buffer);
}

/** Returns the milliseconds on a processor: the first number of a `schedstat`, in nanoseconds. */
function inMilliseconds(schedstat: Buffer): number {
  return parseInt(schedstat.toString('latin1'), 10) / 1e6;
}

function processTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
