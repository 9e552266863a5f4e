import { inspect } from 'node:util';
import { host, type DisplayOptions, type MimeBundle } from './host';

export { display };
export * from './comm';
export type { DisplayOptions, MimeBundle };

/** Objects with this method say how they are displayed: it returns a MIME bundle, or a promise of one. */
const displaySymbol = Symbol.for('Jupyter.display');

/** Displays still being made: later ones wait for them, so that outputs keep their order. */
let pending: Promise<void> | null = null;

/**
 * Shows `value` under the cell: an object with a `Symbol.for('Jupyter.display')`
 * method as it says, a MIME bundle as it is, anything else as text.
 *
 * @param options.displayId an ID by which the output can be updated later
 * @param options.update update the outputs of that ID instead of adding one
 * @returns a promise that resolves when it is shown; it does not reject: an
 * object that cannot be displayed is shown as an error message
 */
function display(value: unknown, options: DisplayOptions = {}): Promise<void> {
  const bundle = describe(value);
  if (!(bundle instanceof Promise) && pending === null) {
    host().display(bundle, options);
    return Promise.resolve();
  }
  const mine = Promise.all([bundle, pending]).then(([ready]) => host().display(ready, options));
  pending = mine;
  return mine.finally(() => {
    if (pending === mine) pending = null;
  });
}

function describe(value: unknown): MimeBundle | Promise<MimeBundle> {
  const method = (value as Record<symbol, unknown> | null | undefined)?.[displaySymbol];
  if (typeof method === 'function') {
    try {
      const bundle: unknown = method.call(value);
      return bundle instanceof Promise ? bundle.then(checked, failed) : checked(bundle);
    } catch (error) {
      return failed(error);
    }
  }
  if (isMimeBundle(value)) return value;
  return { 'text/plain': typeof value === 'string' ? value : inspect(value) };
}

function checked(bundle: unknown): MimeBundle {
  return isMimeBundle(bundle) ? bundle : { 'text/plain': inspect(bundle) };
}

function failed(error: unknown): MimeBundle {
  return { 'text/plain': `This object could not be displayed. ${error instanceof Error ? error.message : inspect(error)}` };
}

/** A plain object whose keys are all MIME types. */
function isMimeBundle(value: unknown): value is MimeBundle {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^[a-z]+\/[\w.+-]+$/.test(key));
}
