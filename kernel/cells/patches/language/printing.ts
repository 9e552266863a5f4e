import { inspect } from 'node:util';
import { all, redefine, type Undo } from '../replace';

const INTERNAL = /^(async_id_symbol|trigger_async_id_symbol|kResourceStore|destroyed)$/;

/**
 * Lets a promise be printed without what Node.js keeps in it to know its
 * cell: that is `Promise { <pending> }` and nothing else.
 */
export function printPromisesPlainly(): Undo {
  const hide = function hide(this: Promise<unknown>): Promise<unknown> {
    for (const symbol of Object.getOwnPropertySymbols(this)) {
      if (INTERNAL.test(symbol.description ?? '')) Object.defineProperty(this, symbol, { enumerable: false });
    }
    // Node.js then prints the object itself.
    return this;
  };
  return redefine(Promise.prototype, inspect.custom, { value: hide, writable: true });
}

/** Lets a timer be printed as what it is, `Timeout (10 ms)`: a cell may end with `setTimeout(…)`. */
export function printTimersPlainly(): Undo {
  const [timeout, immediate] = [setTimeout(() => {}, 1), setImmediate(() => {})];
  const set = (timer: object, print: (this: { _idleTimeout: number }) => string) =>
    redefine(Object.getPrototypeOf(timer), inspect.custom, { value: print, writable: true });
  clearTimeout(timeout);
  clearImmediate(immediate);
  return all([
    set(timeout, function (this: { _idleTimeout: number }) {
      return this._idleTimeout < 0 ? 'Timeout (cleared)' : `Timeout (${this._idleTimeout} ms)`;
    }),
    set(immediate, () => 'Immediate'),
  ]);
}
