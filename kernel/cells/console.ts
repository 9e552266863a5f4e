import { currentCell } from './cell';

/**
 * Sends what is written to standard output and error to the cell that writes
 * it, also when it does so late.
 */
export function captureStreams(): void {
  capture(process.stdout, 'stdout');
  capture(process.stderr, 'stderr');
}

type Write = (chunk: Uint8Array | string, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback) => boolean;
type WriteCallback = (error?: Error | null) => void;

function capture(stream: NodeJS.WriteStream, name: 'stdout' | 'stderr'): void {
  const original = stream.write.bind(stream) as Write;
  const write: Write = (chunk, encoding, callback) => {
    const cell = currentCell();
    if (!cell) return original(chunk, encoding, callback);
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    if (text) cell.output.stream(name, text);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
  stream.write = write as typeof stream.write;
}
