import { FileWriter } from '../checkpoint/fileWriter';
import { ALIGNMENT, KINDS, MAGIC, tensorBytes, TYPES, VERSION, type Setting, type TensorInfo } from './types';

/** Writes a GGUF file: the header in the constructor, then the tensors in the order of its `tensors`. */
export class GgufWriter extends FileWriter {
  constructor(path: string, settings: ReadonlyMap<string, Setting>, tensors: readonly TensorInfo[]) {
    super(path);
    this.bytes(Buffer.concat([Buffer.from(MAGIC), u32(VERSION), u64(tensors.length), u64(settings.size)]));
    for (const [name, setting] of settings) this.bytes(settingBytes(name, setting));
    let offset = 0;
    for (const { name, shape, type } of tensors) {
      const sizes = [...shape].reverse().map(u64);
      this.bytes(Buffer.concat([string(name), u32(shape.length), ...sizes, u32(TYPES[type].id), u64(offset)]));
      offset += aligned(tensorBytes({ shape, type }));
    }
    this.align();
  }

  /** Writes the next part of the current tensor. */
  write(bytes: Uint8Array): void {
    this.bytes(bytes);
  }

  /** Ends the current tensor: pads to the alignment. */
  align(): void {
    this.bytes(new Uint8Array(aligned(this.written) - this.written));
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function settingBytes(name: string, { kind, value }: Setting): Buffer {
  const number = (of: (typeof KINDS)[number]) => u32(KINDS.indexOf(of));
  if (!Array.isArray(value)) return Buffer.concat([string(name), number(kind), element(kind, value as string)]);
  return Buffer.concat([
    string(name),
    number('array'),
    number(kind),
    u64(value.length),
    ...value.map((one) => element(kind, one)),
  ]);
}

function element(kind: Setting['kind'], value: string | number | boolean): Buffer {
  if (kind === 'string') return string(String(value));
  const bytes = Buffer.alloc(8);
  const number = Number(value);
  switch (kind) {
    case 'f32':
      return bytes.subarray(0, bytes.writeFloatLE(number));
    case 'f64':
      return bytes.subarray(0, bytes.writeDoubleLE(number));
    case 'i32':
      return bytes.subarray(0, bytes.writeInt32LE(number));
    case 'u32':
      return bytes.subarray(0, bytes.writeUInt32LE(number));
    case 'i16':
      return bytes.subarray(0, bytes.writeInt16LE(number));
    case 'u16':
      return bytes.subarray(0, bytes.writeUInt16LE(number));
    case 'i8':
      return bytes.subarray(0, bytes.writeInt8(number));
    default:
      return bytes.subarray(0, bytes.writeUInt8(number));
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}
