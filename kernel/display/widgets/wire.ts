/** A state as the protocol of Jupyter's widgets sends it: JSON, and beside it the binary values with their places. */
export interface WireState {
  state: Record<string, unknown>;
  buffer_paths: Array<Array<string | number>>;
  buffers: Uint8Array[];
}

/** Name of the property of a model that stands for it in the state of another one: `IPY_MODEL_` and its ID. */
export const reference = Symbol('reference to a widget');

/**
 * Returns a state for the wire. Binary values leave it: a key is omitted, an entry
 * of an array is `null`. Models become their references.
 */
export function toWire(values: object): WireState {
  const buffers: Uint8Array[] = [];
  const buffer_paths: Array<Array<string | number>> = [];
  const visit = (value: unknown, path: Array<string | number>): unknown => {
    const bytes = asBytes(value);
    if (bytes) {
      buffers.push(bytes);
      buffer_paths.push(path);
      return undefined;
    }
    if (isReference(value)) return value[reference];
    if (Array.isArray(value)) return value.map((entry, i) => visit(entry, [...path, i]) ?? null);
    if (!isPlain(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, visit(entry, [...path, key])]));
  };
  return { state: visit(values, []) as Record<string, unknown>, buffer_paths, buffers };
}

/** Returns a state from the wire, its binary values in their places. A place that does not exist is left out. */
export function fromWire(data: any, buffers: readonly Uint8Array[]): Record<string, unknown> {
  const state = isPlain(data?.state) ? data.state : {};
  const paths: unknown[] = Array.isArray(data?.buffer_paths) ? data.buffer_paths : [];
  for (const [i, path] of paths.entries()) if (Array.isArray(path) && buffers[i]) put(state, path, buffers[i]);
  return state;
}

function put(state: Record<string, unknown>, path: readonly PropertyKey[], value: Uint8Array): void {
  const last = path.at(-1);
  let place: any = state;
  for (const key of path.slice(0, -1)) place = Object.hasOwn(place, key) ? place[key] : null;
  if (last !== undefined && typeof place === 'object' && place !== null) place[last] = value;
}

/** Returns the bytes of a typed array, a `DataView` or an `ArrayBuffer`; `null` for anything else. */
function asBytes(value: unknown): Uint8Array | null {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : null;
}

function isReference(value: unknown): value is { readonly [reference]: string } {
  return typeof value === 'object' && value !== null && reference in value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
