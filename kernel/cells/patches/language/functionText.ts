import { withoutNames } from '../../compile/names';
import { redefine, type Undo } from '../replace';

/** Lets `toString` of a function show what the user wrote. */
export function hideNames(): Undo {
  const original = Function.prototype.toString;
  const toString = function toString(this: Function): string {
    return withoutNames(original.call(this));
  };
  return redefine(Function.prototype, 'toString', { value: toString, writable: true });
}
