import { closeSync, renameSync, rmSync } from 'node:fs';
import { sizeOf, type Tensor } from '../../onnx/tensor';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './halfPrecision';
import { FileWriter } from './fileWriter';
import { openRegularFile, readInto } from './regularFile';
import { readHeader, type Entry } from './safetensorsHeader';

/** Element types of weights on disk; in memory weights are always float32. */
export type WeightType = 'float32' | 'float16' | 'bfloat16';

/** Functions that convert 16-bit values to float32. */
const WIDEN: Partial<Record<Entry['dtype'], (bits: Uint16Array, result: Float32Array) => void>> = {
  F16: float16ToFloat32,
  BF16: bfloat16ToFloat32,
};

/** 16-bit values that are converted at a time, so that a tensor is in memory only once. */
const SLICE = 1 << 20;

/** Reads a safetensors file tensor by tensor. The constructor throws when the file is damaged. */
export class SafetensorsFile {
  /** The shape of each tensor, in the file's order. */
  readonly shapes = new Map<string, number[]>();
  private readonly file: number;
  private readonly entries: ReadonlyMap<string, Entry>;

  constructor(readonly path: string) {
    this.file = openRegularFile(path);
    try {
      this.entries = readHeader(this.file, path);
      for (const [name, { shape }] of this.entries) this.shapes.set(name, shape);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Reads a tensor as float32. */
  read(name: string): Tensor {
    const { dtype, shape, start } = this.entries.get(name)!;
    const data = new Float32Array(sizeOf(shape));
    const widen = WIDEN[dtype];
    if (!widen) readInto(this.file, this.path, start, data);
    const bits = new Uint16Array(widen ? Math.min(SLICE, data.length) : 0);
    for (let at = 0; widen && at < data.length; at += bits.length) {
      const slice = bits.subarray(0, data.length - at);
      readInto(this.file, this.path, start + 2 * at, slice);
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

/** A tensor in the header of a safetensors file. */
export interface TensorSpec {
  name: string;
  shape: readonly number[];
}

/** Bytes of one weight on disk. */
export const WEIGHT_BYTES: Record<WeightType, number> = { float32: 4, float16: 2, bfloat16: 2 };

const DTYPES: Record<WeightType, string> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };

/** Values that are converted at a time, so that a large tensor is not in memory twice. */
const CHUNK = 1 << 20;

/** Writes a safetensors file tensor by tensor, in the order of the constructor's `tensors`. */
export class SafetensorsWriter extends FileWriter {
  constructor(
    path: string,
    tensors: Iterable<TensorSpec>,
    private readonly type: WeightType = 'float32',
  ) {
    super(path);
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
    this.bytes(Buffer.concat([length, padded]));
  }

  /** Writes the values of the next tensor. */
  write(data: Float32Array): void {
    for (let start = 0; start < data.length; start += CHUNK)
      this.bytes(encode(data.subarray(start, start + CHUNK), this.type));
  }
}

/** Writes tensors as a safetensors file, in the order of the map; the file appears whole or not at all. */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  type: WeightType = 'float32',
): void {
  const partial = `${path}.partial`;
  const writer = new SafetensorsWriter(
    partial,
    Array.from(tensors, ([name, { shape }]) => ({ name, shape })),
    type,
  );
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
