import { inspect, types } from 'node:util';
import type { MimeBundle } from './cellContext';
import { imageType } from './pictures/image';
import { isNumeric, numericText } from './numeric';
import { isRecords, recordTable } from './records';
import { svgText } from './pictures/svgBundle';

/** The name of the method that says how an object is displayed: it returns a MIME bundle, or a promise of one. */
export const displaySymbol = Symbol.for('Jupyter.display');

/**
 * Returns the MIME bundle of a value: what its `Symbol.for('Jupyter.display')`
 * method returns, itself if it is a MIME bundle, an image for the bytes of one,
 * a summary of a typed array or a tensor, a table of an array of records, and
 * text of anything else. Throws what the method throws.
 */
export function describe(value: unknown): MimeBundle | Promise<MimeBundle> {
  const method = displayMethod(value);
  if (method) {
    const bundle = method.call(value);
    return bundle instanceof Promise ? bundle.then(checked) : checked(bundle);
  }
  if (isMimeBundle(value)) return value;
  const image = types.isUint8Array(value) && imageType(value);
  if (image) return { [image]: value, 'text/plain': `${image}, ${value.length} bytes` };
  const svg = types.isUint8Array(value) && svgText(value);
  if (svg) return { 'image/svg+xml': svg };
  if (isNumeric(value)) return { 'text/plain': numericText(value) };
  if (isRecords(value)) return recordTable(value);
  return { 'text/plain': inspect(value) };
}

function displayMethod(value: unknown): ((this: unknown) => unknown) | null {
  // A trap of a proxy is the user's code, which may not expect this key.
  if (value === null || value === undefined || types.isProxy(value)) return null;
  const method = (value as Record<symbol, unknown>)[displaySymbol];
  return typeof method === 'function' ? (method as (this: unknown) => unknown) : null;
}

function checked(bundle: unknown): MimeBundle {
  if (typeof bundle === 'object' && bundle !== null && Object.keys(bundle).length === 0) return {};
  return isMimeBundle(bundle) ? bundle : { 'text/plain': inspect(bundle) };
}

/** Returns whether a value is an object whose keys are all MIME types. */
function isMimeBundle(value: unknown): value is MimeBundle {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || types.isProxy(value)) return false;
  const keys = Object.keys(value);
  return (
    keys.length > 0 && keys.every((key) => /^(text|image|audio|video|application|model|font)\/[\w.+-]+$/.test(key))
  );
}
