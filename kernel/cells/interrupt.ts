import { currentCell, KeyboardInterrupt } from './cell';
import { GUARD, withoutNames } from './compile/names';

let interruptFlag = new Int32Array(1);

/** Throws where the running cell shall stop. */
export function throwIfInterrupted(): void {
  if (Atomics.load(interruptFlag, 0) !== 0 || currentCell()?.interrupted) throw new KeyboardInterrupt();
}

/**
 * Installs the global that guarded loops look at (see compile/guards.ts): the
 * flag in shared memory, with a method that throws when the loop shall end.
 */
export function installLoopGuard(flag: Int32Array): void {
  interruptFlag = flag as Int32Array<ArrayBuffer>;
  Object.defineProperty(globalThis, GUARD, { value: Object.assign(flag, { check: throwIfInterrupted }) });
  hideNames();
}

/** Lets `toString` of a function show what the user wrote. */
function hideNames(): void {
  const original = Function.prototype.toString;
  const toString = function toString(this: Function): string {
    return withoutNames(original.call(this));
  };
  Object.defineProperty(Function.prototype, 'toString', { value: toString, writable: true, configurable: true });
}
