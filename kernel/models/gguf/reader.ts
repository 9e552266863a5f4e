import { closeSync, fstatSync } from 'node:fs';
import { sizeOf, type Tensor } from '../../onnx/tensor';
import { openRegularFile, readBytes } from '../checkpoint/regularFile';
import { dequantizeInto, isDequantized } from './dequantize';
import { HeaderReader } from './headerReader';
import { partsOf } from './parts';
import { ALIGNMENT, tensorBytes, TYPES, type GgufValue, type TypeName } from './types';

/** Values that are read at a time, so that a large tensor is not in memory twice. A multiple of every block. */
const SLICE = 1 << 20;

interface Place {
  file: number;
  path: string;
  shape: number[];
  type: TypeName;
  start: number;
}

/** Reads a GGUF file, or the several files of one model, tensor by tensor. The constructor throws when one is damaged. */
export class GgufFile {
  /** The settings, by name. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** The shape of each tensor. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  private readonly files: number[] = [];
  private readonly places = new Map<string, Place>();

  constructor(readonly path: string) {
    try {
      const paths = partsOf(path);
      const parts = paths.map((part) => this.open(part));
      this.metadata = parts[0];
      this.shapes = new Map(Array.from(this.places, ([name, { shape }]) => [name, shape]));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  private open(path: string): ReadonlyMap<string, GgufValue> {
    const file = openRegularFile(path);
    this.files.push(file);
    const header = new HeaderReader(file, path);
    const { metadata, tensors } = header.read();
    const alignment = metadata.get('general.alignment') ?? ALIGNMENT;
    if (typeof alignment !== 'number' || alignment < 1) throw new Error(`${path}: general.alignment is not a number`);
    const data = Math.ceil(header.position / alignment) * alignment;
    const { size } = fstatSync(file);
    for (const { name, shape, type, offset } of tensors) {
      if (this.places.has(name)) throw new Error(`${path} has two tensors "${name}"; fetch the file again`);
      const start = data + offset;
      if (start + tensorBytes({ shape, type }) > size)
        throw new Error(`${path} is cut short: tensor "${name}" ends after the file (${size} bytes); fetch it again`);
      this.places.set(name, { file, path, shape, type, start });
    }
    return metadata;
  }

  /** Returns the type of a tensor. */
  typeOf(name: string): TypeName {
    return this.places.get(name)!.type;
  }

  /** Types of tensors in the file that cannot be read as float32. */
  get unreadableTypes(): TypeName[] {
    return [...new Set([...this.places.values()].map(({ type }) => type))].filter((type) => !isDequantized(type));
  }

  /** Reads a tensor as float32. */
  read(name: string): Tensor {
    const { file, path, shape, type, start } = this.places.get(name)!;
    const { values, bytes } = TYPES[type];
    const data = new Float32Array(sizeOf(shape));
    for (let at = 0; at < data.length; at += SLICE) {
      const slice = data.subarray(at, at + SLICE);
      const raw = readBytes(file, path, start + (at / values) * bytes, (slice.length / values) * bytes);
      dequantizeInto(type, raw, slice);
    }
    return { shape: [...shape], data };
  }

  close(): void {
    for (const file of this.files.splice(0)) closeSync(file);
  }
}
