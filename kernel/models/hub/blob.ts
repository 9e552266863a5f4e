import { createHash, type Hash } from 'node:crypto';
import { constants, existsSync, statSync } from 'node:fs';
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { HubError, HubUnreachable } from './errors';

/** A file of a repository. */
export interface RemoteFile {
  path: string;
  size: number;
  /** Name of its blob in the cache: sha256 of a large file (LFS), else git's hash of it. */
  hash: string;
}

export interface BlobDownload {
  file: RemoteFile;
  /** The path of the blob. */
  target: string;
  /** Returns the content from byte `start` on. */
  read(start: number): AsyncIterable<Uint8Array>;
  /** Milliseconds without a byte after which a connection is replaced. */
  timeout: number;
  /** Called with the number of bytes that have arrived; `before`: in an earlier attempt. */
  onBytes(count: number, options?: { before?: boolean }): void;
  signal: AbortSignal;
}

/** Failures in a row, none of which brought a byte, after which a download fails. */
const MAX_FAILURES = 5;

/**
 * Downloads a blob. It continues what an earlier attempt has left in
 * `<target>.incomplete`; the blob appears only when its hash is right.
 *
 * #### Notes
 * Bytes are written at their final positions. So two processes that download the same
 * blob write the same file without disturbing each other.
 *
 * @throws HubError when the hub refuses the file; HubUnreachable after repeated
 *   failures
 */
export async function downloadBlob(download: BlobDownload): Promise<void> {
  const { file, target } = download;
  await mkdir(dirname(target), { recursive: true });
  const partial = `${target}.incomplete`;
  for (let attempt = 0; ; attempt++) {
    const handle = await open(partial, constants.O_RDWR | constants.O_CREAT);
    try {
      if ((await fill(handle, download)) === file.hash) break;
      await handle.truncate(0);
      download.onBytes(-file.size, { before: true });
    } finally {
      await handle.close();
    }
    if (attempt > 0)
      throw new HubError(
        `${file.path} was damaged on its way twice (its hash is not ${file.hash}); try again, without HF_ENDPOINT if a mirror is set`,
      );
  }
  await rename(partial, target).catch((error) => {
    // Another process has finished it.
    if (!existsSync(target)) throw error;
  });
}

/** Returns the bytes of a blob that an earlier attempt has left. */
export function partialSize(target: string): number {
  return statSync(`${target}.incomplete`, { throwIfNoEntry: false })?.size ?? 0;
}

/** Writes what is missing and resolves to the hash of the whole. */
async function fill(handle: FileHandle, { file, read, timeout, onBytes, signal }: BlobDownload): Promise<string> {
  let position = (await handle.stat()).size;
  if (position > file.size) {
    await handle.truncate(0);
    position = 0;
  }
  const hash = newHash(file);
  if (position > 0)
    for await (const chunk of handle.createReadStream({ start: 0, end: position - 1, autoClose: false }))
      hash.update(chunk);
  onBytes(position, { before: true });
  for (let failures = 0; position < file.size; ) {
    const before = position;
    try {
      for await (const chunk of withoutStalls(read(position), timeout)) {
        signal.throwIfAborted();
        await write(handle, chunk, position);
        hash.update(chunk);
        position += chunk.length;
        onBytes(chunk.length);
      }
      if (position < file.size) throw new Error(`${file.path} ended at byte ${position} of ${file.size}`);
    } catch (error) {
      signal.throwIfAborted();
      failures = position > before ? 0 : failures + 1;
      if (isFinal(error)) throw error;
      // The client passes on no more than the message of some errors.
      if (failures === MAX_FAILURES)
        throw new HubUnreachable(error instanceof Error ? error.message : String(error), { cause: error });
      await setTimeout(200 * 2 ** failures, undefined, { signal });
    }
  }
  return hash.digest('hex');
}

/** Yields what comes from a source. Throws when nothing comes for `limit` milliseconds. */
async function* withoutStalls(source: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = global.setTimeout(() => reject(new Error(`nothing came for ${limit / 1000} s`)), limit);
      });
      const { done, value } = await Promise.race([iterator.next(), late]).finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    // Not waited for: where nothing comes it would not end.
    iterator.return?.().catch(() => {});
  }
}

async function write(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}

/** Returns whether an error is final: one of the file system, or an answer of the hub that will not change. */
function isFinal(error: unknown): boolean {
  return error instanceof HubError || (error as NodeJS.ErrnoException).syscall === 'write';
}

/** Returns the hash of a file's kind: sha256 for large files, git's for others. */
function newHash({ hash, size }: RemoteFile): Hash {
  return hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}
