import { currentCell, KeyboardInterrupt } from './cell';
import { GUARD, GUARD_TEXT } from './compile/guards';

/**
 * Installs the global that guarded loops look at (see compile/guards.ts): the
 * flag in shared memory, with a method that throws when the loop shall end.
 */
export function installLoopGuard(flag: Int32Array): void {
  const check = (): void => {
    if (Atomics.load(flag, 0) !== 0 || currentCell()?.interrupted) throw new KeyboardInterrupt();
  };
  Object.defineProperty(globalThis, GUARD, { value: Object.assign(flag, { check }) });
  hideGuards();
}

/** Lets `toString` of a function show what the user wrote: such text may run where the guard does not exist. */
function hideGuards(): void {
  const original = Function.prototype.toString;
  const withoutGuards = function toString(this: Function): string {
    const text = original.call(this);
    return text.includes(GUARD) ? text.replace(GUARD_TEXT, '') : text;
  };
  Object.defineProperty(Function.prototype, 'toString', { value: withoutGuards, writable: true, configurable: true });
}
