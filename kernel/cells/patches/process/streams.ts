import { StringDecoder } from 'node:string_decoder';
import { currentCell, type Cell } from '../../cell';
import { all, replace, type Undo } from '../replace';

/**
 * Sends what is written to standard output and error to the cell that writes
 * it, also when it does so late.
 */
export function captureStreams(): Undo {
  return all([capture(process.stdout, 'stdout'), capture(process.stderr, 'stderr')]);
}

type Write = (
  chunk: Uint8Array | string,
  encoding?: BufferEncoding | WriteCallback,
  callback?: WriteCallback,
) => boolean;
type WriteCallback = (error?: Error | null) => void;

function capture(stream: NodeJS.WriteStream, name: 'stdout' | 'stderr'): Undo {
  const original = stream.write.bind(stream) as Write;
  /** A character of several bytes may come in parts. */
  const decoders = new WeakMap<Cell, StringDecoder>();
  const decode = (cell: Cell, bytes: Buffer): string => {
    if (!decoders.has(cell)) decoders.set(cell, new StringDecoder('utf8'));
    return decoders.get(cell)!.write(bytes);
  };
  const write: Write = (chunk, encoding, callback) => {
    const cell = currentCell();
    if (!cell) return original(chunk, encoding, callback);
    const coding = typeof encoding === 'string' ? encoding : undefined;
    const isText = typeof chunk === 'string' && (coding === undefined || /^utf-?8$/i.test(coding));
    const text = isText
      ? chunk
      : decode(cell, typeof chunk === 'string' ? Buffer.from(chunk, coding) : Buffer.from(chunk));
    if (text) cell.output.stream(name, text);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
  return replace(stream, { write });
}
