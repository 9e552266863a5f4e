import { types } from 'node:util';

type TypedArray = Exclude<NodeJS.TypedArray, DataView>;

/** A tensor of ONNX Runtime (`dims`), or of Joylab (`shape`). */
interface TensorLike {
  dims?: readonly number[];
  shape?: readonly number[];
  data: TypedArray;
  type?: string;
}

/** Elements that are shown in full, at most; of more, the first and last `ENDS` are shown. */
const ALL = 16;
const ENDS = 5;
/** Elements that statistics are computed of, at most: more would take seconds. */
const MAXIMUM_READ = 1e8;

/** Returns whether a value is a tensor, or a typed array that is too long to be shown in full. */
export function isNumeric(value: unknown): value is TypedArray | TensorLike {
  if (types.isProxy(value)) return false;
  if (isTypedArray(value)) return value.length > ALL;
  return isTensor(value);
}

/**
 * Returns a summary of numbers: type and shape, the first and the last, and
 * minimum, maximum and mean of those that are finite.
 */
export function numericText(value: TypedArray | TensorLike): string {
  const data = isTypedArray(value) ? value : value.data;
  const shape = isTypedArray(value) ? [value.length] : [...(value.dims ?? value.shape ?? [])];
  const dtype = isTypedArray(value) ? value.constructor.name : `Tensor ${value.type ?? dtypeOf(data)}`;
  return `${dtype} [${shape.join(', ')}]\n${elements(data)}\n${statistics(data)}`.trimEnd();
}

function isTypedArray(value: unknown): value is TypedArray {
  return types.isTypedArray(value);
}

function isTensor(value: unknown): value is TensorLike {
  if (typeof value !== 'object' || value === null) return false;
  try {
    const { dims, shape = dims, data } = value as Partial<TensorLike>;
    const isShape = Array.isArray(shape) && shape.every((size) => Number.isInteger(size));
    return isShape && isTypedArray(data) && shape.reduce((product, size) => product * size, 1) === data.length;
  } catch {
    // The data may be elsewhere: on a GPU, or freed.
    return false;
  }
}

function dtypeOf(data: TypedArray): string {
  return data.constructor.name.replace(/(Clamped)?Array$/, '').toLowerCase();
}

function elements(data: TypedArray): string {
  const show = (value: number | bigint): string => (typeof value === 'bigint' ? `${value}n` : short(value));
  if (data.length <= ALL) return `[${Array.from(data as Iterable<number | bigint>, show).join(', ')}]`;
  const ends = (from: number, to?: number) =>
    Array.from(data.slice(from, to) as Iterable<number | bigint>, show).join(', ');
  return `[${ends(0, ENDS)}, … ${ends(-ENDS)}]`;
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}

function statistics(data: TypedArray): string {
  if (data.length > MAXIMUM_READ) return '';
  let [minimum, maximum, sum, count] = [Infinity, -Infinity, 0, 0];
  for (const element of data as Iterable<number | bigint>) {
    const number = Number(element);
    if (!Number.isFinite(number)) continue;
    if (number < minimum) minimum = number;
    if (number > maximum) maximum = number;
    sum += number;
    count++;
  }
  const odd = data.length - count;
  const note = odd > 0 ? `, ${odd} not finite` : '';
  return count === 0
    ? note.slice(2)
    : `min ${short(minimum)}, max ${short(maximum)}, mean ${short(sum / count)}${note}`;
}
