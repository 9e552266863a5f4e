/**
 * The text that is evaluated inside the sandbox before the strategy is: a
 * function of the seed, which gives the function that calls the strategy. It
 * keeps the built-in functions that it needs, so that a strategy that changes
 * prototypes changes its own world only, and answers with one string: a letter
 * for what came, then its text (read by `Sandbox`). Escapes keep the text free
 * of NUL, where C would end it.
 */
export function driverSource(): string {
  return `((seed) => {
  'use strict';
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const { slice } = String.prototype;
  const text = String;
  const most = ${MAX_TEXT};
  const short = (value) => (value.length > most ? apply(slice, value, [0, most]) : value);

  // Every run with the same seed draws the same numbers. (mulberry32)
  let drawn = seed >>> 0;
  const { imul } = Math;
  Object.defineProperty(Math, 'random', { configurable: true, writable: true, value: function random() {
    drawn = (drawn + 0x6d2b79f5) | 0;
    let t = imul(drawn ^ (drawn >>> 15), 1 | drawn);
    t = (t + imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  } });
  const quiet = () => {};
  globalThis.console = { log: quiet, info: quiet, warn: quiet, error: quiet, debug: quiet };

  const thrown = (error) => {
    let message = 'threw something that cannot be shown';
    let stack = '';
    try {
      if (typeof error === 'object' && error !== null) {
        message = error.message === undefined ? stringify(error) : text(error.name) + ': ' + text(error.message);
        stack = text(error.stack);
      } else {
        message = error === null ? 'null' : text(error);
      }
    } catch {}
    return (error === null ? '0' : '!') + stringify([short(text(message)), short(text(stack))]);
  };

  return (argumentsText) => {
    try {
      const value = apply(strategy, undefined, parse(argumentsText));
      switch (typeof value) {
        case 'string': return 'j' + stringify(short(value));
        case 'number': return 'n' + text(value);
        case 'boolean': return 'j' + text(value);
        case 'undefined': return 'u';
        case 'object': {
          if (value === null) return 'jnull';
          const json = stringify(value);
          return json === undefined ? 'u' : json.length > most ? 'xa value of more than ' + most + ' characters' : 'j' + json;
        }
        case 'function': return 'xa function';
        default: return 'xa ' + typeof value;
      }
    } catch (error) {
      return thrown(error);
    }
  };
})`;
}

/** Longest text that leaves the sandbox in one answer, in characters. */
export const MAX_TEXT = 65_536;
