import { inspect } from 'node:util';
import type { MimeBundle } from '../display/host';

const DISPLAY = Symbol.for('Jupyter.display');

/**
 * How a value is shown as the result of a cell: as its
 * `Symbol.for('Jupyter.display')` method says (which may be async), as it is
 * if it is a MIME bundle, else as text.
 */
export async function describe(value: unknown): Promise<MimeBundle> {
  const method = (value as Record<symbol, unknown> | null | undefined)?.[DISPLAY];
  if (typeof method === 'function') {
    const bundle: unknown = await method.call(value);
    if (isBundle(bundle)) return encoded(bundle);
    return { 'text/plain': inspect(bundle) };
  }
  return isBundle(value) ? encoded(value) : { 'text/plain': inspect(value) };
}

/** A bundle with its binary data in base64, as Jupyter wants it. */
export function encoded(bundle: MimeBundle): MimeBundle {
  const entries = Object.entries(bundle).map(([type, data]) => [
    type,
    data instanceof Uint8Array ? Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') : data,
  ]);
  return Object.fromEntries(entries);
}

/** A plain object whose keys are MIME types. */
function isBundle(value: unknown): value is MimeBundle {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^(text|image|audio|video|application)\/[\w.+-]+$/.test(key));
}
