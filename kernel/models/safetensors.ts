import { closeSync, fstatSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { sizeOf, type Tensor } from '../onnx/tensor';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './halfPrecision';

/** Element types of weights on disk; in memory weights are always float32. */
export type WeightType = 'float32' | 'float16' | 'bfloat16';

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const TYPES: Record<string, { bytes: number; read: (bytes: Uint8Array) => Float32Array }> = {
  F32: { bytes: 4, read: (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4) },
  F16: { bytes: 2, read: (bytes) => float16ToFloat32(words(bytes)) },
  BF16: { bytes: 2, read: (bytes) => bfloat16ToFloat32(words(bytes)) },
};

function words(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}

/** Reads all tensors of a safetensors file as float32. A damaged file is an error that says what is wrong with it. */
export function readSafetensors(path: string): Map<string, Tensor> {
  const file = openSync(path, 'r');
  try {
    const { header, start, size } = readHeader(file, path);
    const tensors = new Map<string, Tensor>();
    for (const [name, entry] of Object.entries(header)) {
      if (name === '__metadata__') continue;
      tensors.set(name, readTensor(file, path, name, entry as Entry, start, size));
    }
    return tensors;
  } finally {
    closeSync(file);
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

function readTensor(file: number, path: string, name: string, entry: Entry, start: number, size: number): Tensor {
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
  return { shape: entry.shape, data: type.read(readBytes(file, start + begin, end - begin)) };
}

/** Bytes of a file in a buffer of their own, so that typed arrays over it are aligned. */
function readBytes(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.from(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const count = readSync(file, buffer, done, Math.min(length - done, 1 << 30), position + done);
    if (count === 0) throw new Error('the file ended while it was read');
    done += count;
  }
  return buffer;
}

/** Writes tensors as a safetensors file, in the order of the map; the file appears whole or not at all. */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, Tensor>, type: WeightType = 'float32'): void {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, tensor] of tensors) {
    const bytes = encode(tensor.data, type);
    header[name] = {
      dtype: { float32: 'F32', float16: 'F16', bfloat16: 'BF16' }[type],
      shape: tensor.shape,
      data_offsets: [offset, offset + bytes.byteLength],
    };
    parts.push(bytes);
    offset += bytes.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  // Readers map the file: the data starts at a multiple of 8.
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileSync(`${path}.partial`, Buffer.concat([length, padded, ...parts]));
  renameSync(`${path}.partial`, path);
}

function encode(data: Float32Array, type: WeightType): Uint8Array {
  const values = type === 'float32' ? data : type === 'float16' ? float32ToFloat16(data) : float32ToBfloat16(data);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
