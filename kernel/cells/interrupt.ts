import { currentCell, KeyboardInterrupt } from './cell';
import { GUARD, withoutNames } from './compile/names';

/**
 * Installs the global that guarded loops look at (see compile/guards.ts): the
 * flag in shared memory, with a method that throws when the loop shall end.
 */
export function installLoopGuard(flag: Int32Array): void {
  const check = (): void => {
    if (Atomics.load(flag, 0) !== 0 || currentCell()?.interrupted) throw new KeyboardInterrupt();
  };
  Object.defineProperty(globalThis, GUARD, { value: Object.assign(flag, { check }) });
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
