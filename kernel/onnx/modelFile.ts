import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { onnx as Onnx } from 'onnx-proto';
import { encodeParts } from './encode';
import type { Graph } from './graph';
import { sizeOf, type Tensor } from './tensor';

/** Bytes of tensors from which on they go to a file of their own: protobuf's limit is 2 GB per file. */
export const EXTERNAL_DATA_BYTES = 1.9e9;

/** Bytes of which offsets in a data file are multiples, so that it can be memory-mapped. */
const PAGE = 4096;

/** The file of a model's tensors, beside the model's own. */
export interface DataFile {
  /** The path at which it is written. */
  path: string;
  /** Its name in the model. */
  name: string;
}

/**
 * Writes a graph as an ONNX model whose float32 inputs named in `tensors` become
 * initializers. The tensors' data is read one after the other, so that it need not be
 * together in memory.
 *
 * @param data the file for the tensors; null writes them into the model's own
 */
export async function writeModelFile(
  path: string,
  graph: Graph,
  tensors: ReadonlyMap<string, Tensor>,
  data: DataFile | null,
): Promise<void> {
  const { onnx } = require('onnx-proto') as typeof import('onnx-proto');
  const { model, graph: rest } = encodeParts(graph, new Set(tensors.keys()));
  const headers = data ? externalHeaders(onnx, tensors, data.name) : inlineHeaders(onnx, tensors);
  const length = rest.length + headers.reduce((sum, { bytes, inline }) => sum + bytes.length + inline, 0);
  await writing(path, async (write) => {
    // A model is a list of fields in any order: here the graph is the last, and in it the tensors.
    write(model);
    write(field(7, length));
    write(rest);
    for (const { name, bytes, inline } of headers) {
      write(bytes);
      if (inline > 0) await writeTensor(write, tensors.get(name)!);
    }
  });
  if (!data) return;
  await writing(data.path, async (write) => {
    for (const [, tensor] of tensors) {
      await writeTensor(write, tensor);
      write(new Uint8Array(padding(bytesOf(tensor))));
    }
  });
}

type Write = (bytes: Uint8Array) => void;

async function writing(path: string, body: (write: Write) => Promise<void>): Promise<void> {
  const file = openSync(path, 'w');
  try {
    await body((bytes) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    });
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

async function writeTensor(write: Write, tensor: Tensor): Promise<void> {
  const { data } = tensor;
  write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  // Large models take a while: interrupts and timers live.
  await setImmediate();
}

/** The bytes before the values of a tensor in the graph, and the number of bytes of values that follow. */
interface Header {
  name: string;
  bytes: Uint8Array;
  inline: number;
}

function inlineHeaders(onnx: typeof Onnx, tensors: ReadonlyMap<string, Tensor>): Header[] {
  return Array.from(tensors, ([name, tensor]) => {
    const size = bytesOf(tensor);
    const description = Buffer.concat([encodeTensor(onnx, name, tensor, {}), field(9, size)]);
    return { name, bytes: Buffer.concat([field(5, description.length + size), description]), inline: size };
  });
}

function externalHeaders(onnx: typeof Onnx, tensors: ReadonlyMap<string, Tensor>, location: string): Header[] {
  let offset = 0;
  return Array.from(tensors, ([name, tensor]) => {
    const size = bytesOf(tensor);
    const externalData = Object.entries({ location, offset, length: size }).map(([key, value]) => ({
      key,
      value: String(value),
    }));
    offset += size + padding(size);
    const description = encodeTensor(onnx, name, tensor, {
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData,
    });
    return { name, bytes: Buffer.concat([field(5, description.length), description]), inline: 0 };
  });
}

function encodeTensor(onnx: typeof Onnx, name: string, { shape }: Tensor, more: Onnx.ITensorProto): Uint8Array {
  const tensor = onnx.TensorProto.create({ name, dims: shape, dataType: onnx.TensorProto.DataType.FLOAT, ...more });
  return onnx.TensorProto.encode(tensor).finish();
}

function bytesOf({ shape }: Tensor): number {
  return 4 * sizeOf(shape);
}

function padding(size: number): number {
  return (PAGE - (size % PAGE)) % PAGE;
}

/** Returns the header of a protobuf field of `length` bytes: its number with wire type 2, and the length. */
function field(number: number, length: number): Uint8Array {
  const bytes = [(number << 3) | 2];
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}
