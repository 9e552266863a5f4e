import * as fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { currentCell } from '../../cell';
import { ask } from '../../globals';
import { all, replace, type Undo } from '../replace';

/** Other names of the file that is standard input. */
const NAMES = new Set(['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);

type Callback = (error: Error | null, ...results: unknown[]) => void;

/** Returns whether code of a cell means standard input. */
function isInput(file: unknown): boolean {
  return (
    currentCell() !== null &&
    (file === 0 || (typeof file === 'string' && NAMES.has(file)) || (file instanceof URL && NAMES.has(file.pathname)))
  );
}

/**
 * Lets `fs.readFileSync(0)` and its like ask the front end: the whole input is
 * one line, which the user types; `fs.readSync` asks for one after another.
 *
 * @param stream standard input as it is now
 */
export function askByFiles(stream: () => unknown): Undo {
  const original = { ...fs, readFilePromise: fs.promises.readFile };
  /** The bytes that `readSync` did not take yet. */
  let rest = Buffer.alloc(0);

  const whole = (options: unknown): string | Buffer => {
    const text = line();
    const encoding =
      typeof options === 'string' ? options : (options as { encoding?: BufferEncoding } | null | undefined)?.encoding;
    const bytes = Buffer.concat([rest, Buffer.from(text)]);
    rest = Buffer.alloc(0);
    return encoding ? bytes.toString(encoding as BufferEncoding) : bytes;
  };

  const part = (target: NodeJS.ArrayBufferView, second: unknown, third: unknown): number => {
    const { offset = 0, length = target.byteLength - offset } = (
      typeof second === 'object' && second !== null
        ? second
        : { offset: second ?? undefined, length: third ?? undefined }
    ) as { offset?: number; length?: number };
    if (rest.length === 0) rest = Buffer.from(line());
    const taken = rest.subarray(0, length);
    rest = rest.subarray(taken.length);
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(taken, offset);
    return taken.length;
  };

  const functions: Record<string, (...args: never[]) => unknown> = {
    readFileSync: (file: never, options: never) =>
      isInput(file) ? whole(options) : original.readFileSync(file, options),
    readFile: (file: never, ...rest: never[]) =>
      isInput(file)
        ? later(rest.at(-1)!, () => whole(rest.length > 1 ? rest[0] : undefined))
        : (original.readFile as Function)(file, ...rest),
    readSync: (file: number, target: never, ...rest: unknown[]) =>
      isInput(file) ? part(target, rest[0], rest[1]) : (original.readSync as Function)(file, target, ...rest),
    openSync: (file: never, ...rest: never[]) => (isInput(file) ? 0 : (original.openSync as Function)(file, ...rest)),
    // Its number would be that of the next file that is opened.
    closeSync: (file: never) => (isInput(file) ? undefined : original.closeSync(file)),
    createReadStream: (file: never, options: { fd?: unknown }) =>
      isInput(file) || isInput(options?.fd) ? stream() : original.createReadStream(file, options as never),
  };
  for (const [name, replaced] of Object.entries(functions))
    Object.defineProperty(replaced, 'length', { value: (original as any)[name].length });
  const undo = all([
    replace(require('node:fs'), functions),
    replace(original.promises, {
      readFile: async (file: never, options: never) =>
        isInput(file) ? whole(options) : original.readFilePromise(file, options),
    }),
  ]);
  syncBuiltinESMExports();
  return () => {
    undo();
    syncBuiltinESMExports();
  };
}

/** A line, with its end; nothing where the input was ended. */
function line(): string {
  const text = ask('stdin: ');
  return text === '\x04' || text === '^D' ? '' : `${text}\n`;
}

function later(callback: Callback, work: () => unknown): void {
  process.nextTick(() => {
    let result: unknown;
    try {
      result = work();
    } catch (error) {
      return callback(error as Error);
    }
    callback(null, result);
  });
}
