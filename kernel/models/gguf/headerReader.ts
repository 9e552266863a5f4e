import { fstatSync } from 'node:fs';
import { readBytes } from '../checkpoint/regularFile';
import { KINDS, MAGIC, typeName, TYPES, type GgufValue, type TypeName } from './types';

/** A tensor in the header. */
interface HeaderTensor {
  name: string;
  shape: number[];
  type: TypeName;
  /** Position of its first byte, from the beginning of the values. */
  offset: number;
}

const WINDOW = 1 << 20;
/** Largest numbers in a header, far above those of any file. */
const MOST_SETTINGS = 1e5;
const MOST_TENSORS = 1e6;
const MOST_DIMENSIONS = 4;
/** Deepest nesting of lists; lists of lists are not in use. */
const DEEPEST = 4;

/** Reads the part of a GGUF file before the values, without reading beyond the file's end. Throws when it is damaged. */
export class HeaderReader {
  /** Position of the next byte in the file. */
  position = 0;
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;
  private readonly size: number;

  constructor(
    private readonly file: number,
    private readonly path: string,
  ) {
    this.size = fstatSync(file).size;
  }

  read(): { metadata: Map<string, GgufValue>; tensors: HeaderTensor[] } {
    if (this.size < 24 || this.take(4).toString('latin1') !== MAGIC)
      throw new Error(`${this.path} is not a GGUF file (${this.size} bytes); fetch it again`);
    const version = this.take(4).readUInt32LE();
    if (version !== 2 && version !== 3)
      throw new Error(`${this.path} is GGUF of version ${version}; supported are 2 and 3, of little-endian machines`);
    const tensorCount = this.count(MOST_TENSORS, 'tensors');
    const settingCount = this.count(MOST_SETTINGS, 'settings');
    const metadata = new Map<string, GgufValue>();
    for (let i = 0; i < settingCount; i++) {
      const name = this.text();
      metadata.set(name, this.value(this.kind(), 0));
    }
    return { metadata, tensors: Array.from({ length: tensorCount }, () => this.tensor()) };
  }

  private tensor(): HeaderTensor {
    const name = this.text();
    const dimensions = this.take(4).readUInt32LE();
    if (dimensions < 1 || dimensions > MOST_DIMENSIONS)
      this.damaged(`tensor "${name.slice(0, 100)}" has ${dimensions} dimensions`);
    const shape = Array.from({ length: dimensions }, () => this.integer()).reverse();
    const id = this.take(4).readUInt32LE();
    const type = typeName(id);
    if (!type) throw new Error(`${this.path}: tensor "${name}" has ggml's type ${id}, which is not known here`);
    const offset = this.integer();
    const { values } = TYPES[type];
    if (shape.at(-1)! % values !== 0)
      this.damaged(`tensor "${name}" has rows of ${shape.at(-1)} values, and ${type} has blocks of ${values}`);
    return { name, shape, type, offset };
  }

  private kind(): (typeof KINDS)[number] {
    const number = this.take(4).readUInt32LE();
    return KINDS[number] ?? this.damaged(`a setting has kind ${number}`);
  }

  private value(kind: (typeof KINDS)[number], depth: number): GgufValue {
    switch (kind) {
      case 'u8':
        return this.take(1).readUInt8();
      case 'i8':
        return this.take(1).readInt8();
      case 'u16':
        return this.take(2).readUInt16LE();
      case 'i16':
        return this.take(2).readInt16LE();
      case 'u32':
        return this.take(4).readUInt32LE();
      case 'i32':
        return this.take(4).readInt32LE();
      case 'f32':
        return this.take(4).readFloatLE();
      case 'f64':
        return this.take(8).readDoubleLE();
      case 'bool':
        return this.take(1).readUInt8() !== 0;
      case 'u64':
        return exact(this.take(8).readBigUInt64LE());
      case 'i64':
        return exact(this.take(8).readBigInt64LE());
      case 'string':
        return this.text();
      default: {
        if (depth === DEEPEST) this.damaged('lists are nested too deeply');
        const of = this.kind();
        return Array.from({ length: this.count(this.size, 'entries of a list') }, () => this.value(of, depth + 1));
      }
    }
  }

  private text(): string {
    return this.take(this.count(this.size, 'bytes of a text')).toString('utf8');
  }

  private count(most: number, what: string): number {
    const count = this.integer();
    // Each takes a byte at least.
    return count <= Math.min(most, this.size - this.position) ? count : this.damaged(`it has ${count} ${what}`);
  }

  private integer(): number {
    const value = exact(this.take(8).readBigUInt64LE());
    return typeof value === 'number' ? value : this.damaged(`a size is ${value}`);
  }

  private take(length: number): Buffer {
    const { position } = this;
    if (position + length > this.size) this.damaged('the header ends after the file');
    if (position + length > this.windowStart + this.window.length) {
      this.window = readBytes(this.file, this.path, position, Math.min(Math.max(length, WINDOW), this.size - position));
      this.windowStart = position;
    }
    this.position += length;
    return this.window.subarray(position - this.windowStart, this.position - this.windowStart);
  }

  private damaged(what: string): never {
    throw new Error(`${this.path} is damaged: ${what}; fetch it again`);
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
