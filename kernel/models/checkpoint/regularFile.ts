import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { formatBytes } from '../../display/progress/progressBar';

/*
 * Files of folders that came from elsewhere. A name there may be that of a pipe
 * (which nobody ever writes to), of a device, or of something endless.
 */

/**
 * Opens a file for reading and returns its descriptor; links are followed, which the
 * hub's cache consists of.
 *
 * @throws Error when there is none, or it is no regular file
 */
export function openRegularFile(path: string): number {
  // To open a device can have an effect, so it is looked at before. What takes its place in between is not waited for.
  checkRegularFile(path);
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    checkRegular(path, fstatSync(file));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Returns a file's size and its last bytes, at most so many. */
export function readEnd(path: string, most: number): { size: number; end: Buffer } {
  const file = openRegularFile(path);
  try {
    const { size } = fstatSync(file);
    const start = Math.max(0, size - most);
    return { size, end: readBytes(file, path, start, size - start) };
  } finally {
    closeSync(file);
  }
}

/** Throws when there is no regular file at the path or at the end of its links. */
export function checkRegularFile(path: string): void {
  checkRegular(path, stat(path));
}

/**
 * Reads a text file.
 *
 * @param maximumBytes largest size in bytes, which is checked before anything is read
 */
export function readTextFile(path: string, maximumBytes: number): string {
  const file = openRegularFile(path);
  try {
    const { size } = fstatSync(file);
    if (size > maximumBytes)
      throw new Error(
        `${path} has ${formatBytes(size)}, more than such a file may have (${formatBytes(maximumBytes)}); fetch or save it again`,
      );
    return readBytes(file, path, 0, size).toString('utf8');
  } finally {
    closeSync(file);
  }
}

/** Reads bytes of an open file. */
export function readBytes(file: number, path: string, position: number, length: number): Buffer {
  return readInto(file, path, position, Buffer.alloc(length));
}

/** Fills an array with bytes of an open file and returns it. Throws when the file ends before. */
export function readInto<T extends NodeJS.ArrayBufferView>(file: number, path: string, position: number, array: T): T {
  for (let done = 0; done < array.byteLength; ) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset + done, Math.min(array.byteLength - done, 1 << 30));
    const count = readSync(file, bytes, 0, bytes.length, position + done);
    if (count === 0) throw new Error(`${path} became shorter while it was read; try again`);
    done += count;
  }
  return array;
}

function stat(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read: ${message}`, {
      cause: error,
    });
  }
}

function checkRegular(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  const kind = stats.isDirectory()
    ? 'a folder'
    : stats.isFIFO()
      ? 'a pipe'
      : stats.isSocket()
        ? 'a socket'
        : 'a device';
  throw new Error(`${path} is ${kind}, where a file is expected; put the file in its place`);
}
