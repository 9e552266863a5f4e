import { FLAG } from '../jupyter/interruptFlag';
import { isAbandoned } from '../rewards/callbacks';
import { currentCell, KeyboardInterrupt } from './cell';
import { GUARD, withoutNames } from './compile/names';

let flag = new Int32Array(Object.keys(FLAG).length);

/** How often the session was interrupted so far. Code that begins after an interrupt, such as that of a `finally`, is not what it was for. */
export function interruptCount(): number {
  return Atomics.load(flag, FLAG.count);
}

/** Counts the synchronous parts of cells. */
let parts = 0;

/** What begins now is computed without a pause: SIGINT ends it where nothing else does. */
export function beginPart(): void {
  Atomics.store(flag, FLAG.part, ++parts);
}

/** From here on, a signal could end nothing. */
export function endPart(): void {
  Atomics.store(flag, FLAG.part, 0);
}

/** SIGINT has ended a part: nobody waits for it any more. */
export function noteSigint(): void {
  Atomics.store(flag, FLAG.ended, 1);
}

/** Throws where code shall stop that began when there had been `began` interrupts. */
export function throwIfInterrupted(began: number): void {
  const raised = Atomics.load(flag, FLAG.raised) !== 0 && Atomics.load(flag, FLAG.count) > began;
  if (raised || (currentCell()?.interruptedAt ?? 0) > began) stop();
}

function stop(): never {
  Atomics.compareExchange(flag, FLAG.raised, 1, 2);
  throw new KeyboardInterrupt();
}

/** What guarded code calls (see compile/guards.ts), as methods of the flag. */
const guards = {
  looping: throwIfInterrupted,
  entered: stop,
  resumed<T>(value: T, began: number): T {
    throwIfInterrupted(began);
    if (isAbandoned()) throw new KeyboardInterrupt();
    return value;
  },
};

/** Installs the global that guarded code looks at: the flag in shared memory, with {@link guards}. */
export function installGuards(interruptFlag: Int32Array): void {
  flag = interruptFlag as Int32Array<ArrayBuffer>;
  Object.defineProperty(globalThis, GUARD, { value: Object.assign(flag, guards) });
  hideNames();
  waitInSlices();
}

/** Lets `toString` of a function show what the user wrote. */
function hideNames(): void {
  const original = Function.prototype.toString;
  const toString = function toString(this: Function): string {
    return withoutNames(original.call(this));
  };
  Object.defineProperty(Function.prototype, 'toString', { value: toString, writable: true, configurable: true });
}

/** Milliseconds between two looks at the flag while the thread sleeps. */
const SLICE = 100;

/** Lets an interrupt end `Atomics.wait` of a cell in this thread. */
function waitInSlices(): void {
  const original = Atomics.wait as (
    array: Int32Array,
    index: number,
    value: number,
    timeout?: number,
  ) => 'ok' | 'not-equal' | 'timed-out';
  const wait: typeof original = (array, index, value, timeout = Infinity) => {
    const [began, end] = [interruptCount(), performance.now() + (Number.isNaN(timeout) ? Infinity : timeout)];
    for (;;) {
      const left = Math.max(0, end - performance.now());
      const result = original(array, index, value, Math.min(left, SLICE));
      if (result !== 'timed-out' || left <= SLICE) return result;
      throwIfInterrupted(began);
    }
  };
  Object.defineProperty(Atomics, 'wait', { value: wait, writable: true, configurable: true });
}
