import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { sizeOf, type Tensor } from '../onnx/tensor';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './halfPrecision';

/** Element types of weights on disk; in memory weights are always float32. */
export type WeightType = 'float32' | 'float16' | 'bfloat16';

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Types on disk; `widen` makes float32 of 16-bit ones. */
const TYPES: Record<string, { bytes: number; widen?: (bits: Uint16Array, result: Float32Array) => void }> = {
  F32: { bytes: 4 },
  F16: { bytes: 2, widen: float16ToFloat32 },
  BF16: { bytes: 2, widen: bfloat16ToFloat32 },
};

/** 16-bit values are widened so many at a time, so that a tensor is in memory once. */
const SLICE = 1 << 20;

/** A safetensors file, read tensor by tensor. A damaged file is an error that says what is wrong with it. */
export class SafetensorsFile {
  /** The shape of each tensor, in the file's order. */
  readonly shapes = new Map<string, number[]>();
  private readonly file: number;
  private readonly entries = new Map<string, Entry>();
  private readonly start: number;

  constructor(readonly path: string) {
    this.file = openSync(path, 'r');
    try {
      const { header, start, size } = readHeader(this.file, path);
      this.start = start;
      for (const [name, entry] of Object.entries(header)) {
        if (name === '__metadata__') continue;
        checkEntry(path, name, entry as Entry, start, size);
        this.entries.set(name, entry as Entry);
        this.shapes.set(name, (entry as Entry).shape);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** A tensor as float32. */
  read(name: string): Tensor {
    const { dtype, shape, data_offsets } = this.entries.get(name)!;
    const start = this.start + data_offsets[0];
    const data = new Float32Array(sizeOf(shape));
    const { widen } = TYPES[dtype];
    if (!widen) readInto(this.file, start, data);
    const bits = new Uint16Array(widen ? Math.min(SLICE, data.length) : 0);
    for (let at = 0; widen && at < data.length; at += bits.length) {
      const slice = bits.subarray(0, data.length - at);
      readInto(this.file, start + 2 * at, slice);
      widen(slice, data.subarray(at, at + slice.length));
    }
    return { shape, data };
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Reads all tensors of a safetensors file as float32. */
export function readSafetensors(path: string): Map<string, Tensor> {
  const file = new SafetensorsFile(path);
  try {
    return new Map([...file.shapes.keys()].map((name) => [name, file.read(name)]));
  } finally {
    file.close();
  }
}

function readHeader(file: number, path: string): { header: Record<string, unknown>; start: number; size: number } {
  const { size } = fstatSync(file);
  const length = size >= 8 ? Number(readBytes(file, 0, 8).readBigUInt64LE(0)) : 0;
  if (size < 8 || length <= 0 || 8 + length > size) {
    throw new Error(`${path} is not a safetensors file, or is cut short (${size} bytes); fetch or save it again`);
  }
  try {
    const header = JSON.parse(readBytes(file, 8, length).toString('utf8')) as Record<string, unknown>;
    return { header, start: 8 + length, size };
  } catch {
    throw new Error(`${path}: the safetensors header is not valid JSON; fetch or save the file again`);
  }
}

function checkEntry(path: string, name: string, entry: Entry, start: number, size: number): void {
  const type = TYPES[entry.dtype];
  if (!type) {
    throw new Error(`${path}: tensor "${name}" has type ${entry.dtype}; supported are ${Object.keys(TYPES).join(', ')}`);
  }
  const [begin, end] = entry.data_offsets;
  const expected = sizeOf(entry.shape) * type.bytes;
  if (end - begin !== expected) {
    throw new Error(`${path}: tensor "${name}" of shape [${entry.shape.join(', ')}] takes ${end - begin} bytes instead of ${expected}`);
  }
  if (start + end > size) {
    throw new Error(`${path} is cut short: tensor "${name}" ends at byte ${start + end}, the file at ${size}; fetch or save it again`);
  }
}

function readBytes(file: number, position: number, length: number): Buffer {
  return readInto(file, position, Buffer.alloc(length));
}

/** Fills an array with bytes of a file. */
function readInto<T extends NodeJS.ArrayBufferView>(file: number, position: number, array: T): T {
  for (let done = 0; done < array.byteLength; ) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset + done, Math.min(array.byteLength - done, 1 << 30));
    const count = readSync(file, bytes, 0, bytes.length, position + done);
    if (count === 0) throw new Error('the file ended while it was read');
    done += count;
  }
  return array;
}

/** What a safetensors file says of a tensor before its values. */
export interface TensorSpec {
  name: string;
  shape: readonly number[];
}

/** Bytes of a weight on disk. */
export const WEIGHT_BYTES: Record<WeightType, number> = { float32: 4, float16: 2, bfloat16: 2 };

const DTYPES: Record<WeightType, string> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };

/** Values that are converted at a time, so that a large tensor is not held twice. */
const CHUNK = 1 << 20;

/** Writes a safetensors file tensor by tensor, in the order that was announced. */
export class SafetensorsWriter {
  private readonly file: number;
  private open = true;

  constructor(
    path: string,
    tensors: Iterable<TensorSpec>,
    private readonly type: WeightType = 'float32',
  ) {
    const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
    let offset = 0;
    for (const { name, shape } of tensors) {
      const end = offset + sizeOf(shape) * WEIGHT_BYTES[type];
      header[name] = { dtype: DTYPES[type], shape, data_offsets: [offset, end] };
      offset = end;
    }
    const json = Buffer.from(JSON.stringify(header));
    // Readers map the file: the data starts at a multiple of 8.
    const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
    json.copy(padded);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(padded.length));
    this.file = openSync(path, 'w');
    this.bytes(Buffer.concat([length, padded]));
  }

  /** The values of the next tensor. */
  write(data: Float32Array): void {
    for (let start = 0; start < data.length; start += CHUNK) this.bytes(encode(data.subarray(start, start + CHUNK), this.type));
  }

  /** Closes the file once it is on the disk. */
  close(): void {
    fsyncSync(this.file);
    this.abandon();
  }

  /** Closes a file that will not be used. */
  abandon(): void {
    if (this.open) closeSync(this.file);
    this.open = false;
  }

  private bytes(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done);
  }
}

/** Writes tensors as a safetensors file, in the order of the map; the file appears whole or not at all. */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, Tensor>, type: WeightType = 'float32'): void {
  const partial = `${path}.partial`;
  const writer = new SafetensorsWriter(partial, Array.from(tensors, ([name, { shape }]) => ({ name, shape })), type);
  try {
    for (const { data } of tensors.values()) writer.write(data);
    writer.close();
    renameSync(partial, path);
  } catch (error) {
    writer.abandon();
    rmSync(partial, { force: true });
    throw error;
  }
}

function encode(data: Float32Array, type: WeightType): Uint8Array {
  const values = type === 'float32' ? data : type === 'float16' ? float32ToFloat16(data) : float32ToBfloat16(data);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
