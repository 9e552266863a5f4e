import { inspect } from 'node:util';

const INTERNAL = /^(async_id_symbol|trigger_async_id_symbol|kResourceStore|destroyed)$/;

/**
 * Lets a promise be printed without what Node.js keeps in it to know its
 * cell: that is `Promise { <pending> }` and nothing else.
 */
export function printPromisesPlainly(): void {
  const hide = function hide(this: Promise<unknown>): Promise<unknown> {
    for (const symbol of Object.getOwnPropertySymbols(this)) {
      if (INTERNAL.test(symbol.description ?? '')) Object.defineProperty(this, symbol, { enumerable: false });
    }
    // Node.js then prints the object itself.
    return this;
  };
  Object.defineProperty(Promise.prototype, inspect.custom, { value: hide, writable: true, configurable: true });
}

/** Lets a timer be printed as what it is, `Timeout (10 ms)`: a cell may end with `setTimeout(…)`. */
export function printTimersPlainly(): void {
  const [timeout, immediate] = [setTimeout(() => {}, 1), setImmediate(() => {})];
  const set = (timer: object, print: (this: { _idleTimeout: number }) => string) =>
    Object.defineProperty(Object.getPrototypeOf(timer), inspect.custom, {
      value: print,
      writable: true,
      configurable: true,
    });
  set(timeout, function (this: { _idleTimeout: number }) {
    return this._idleTimeout < 0 ? 'Timeout (cleared)' : `Timeout (${this._idleTimeout} ms)`;
  });
  set(immediate, () => 'Immediate');
  clearTimeout(timeout);
  clearImmediate(immediate);
}
