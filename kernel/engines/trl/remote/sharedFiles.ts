import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Answer } from '../channel';
import type { Message } from '../protocol';

/** Bytes that are sent at a time. */
const PIECE = 4 * 2 ** 20;
/** Messages of a worker about files; `joylab_worker/files.py` sends them. */
const ABOUT_FILES = ['files', 'bring', 'give', 'given'];

/**
 * Files of this machine that a worker on another one reads and writes: in the
 * folders that the kernel has named to it for that, and nowhere else.
 */
export class SharedFiles {
  private readonly readable = new Set<string>();
  private readonly writable = new Set<string>();
  /** What could not be written, by folder. */
  private readonly failed = new Map<string, unknown>();

  /** Lets the worker use the folders that a message to it names. */
  allow(message: Message): void {
    const { type, command = type, folder, adapter, resumeFrom, rescue, save, saveTo } = message;
    const add = (folders: Set<string>, named: unknown) => typeof named === 'string' && folders.add(resolve(named));
    if (command === 'load') for (const named of [folder, adapter]) add(this.readable, named);
    if (command === 'save' || command === 'find') add(this.writable, folder);
    add(this.readable, resumeFrom);
    for (const named of [rescue, save, saveTo]) add(this.writable, named);
  }

  /** Returns whether a message is about files, and writes those that it brings. */
  takes(message: Message): boolean {
    if (message.type === 'give') this.write(message);
    return ABOUT_FILES.includes(message.type);
  }

  /** Answers a request for files, or for whether they were written. */
  async answer(message: Message): Promise<Answer> {
    const folder = String(message.folder);
    if (message.type === 'files') return { fields: { files: filesOf(placeIn(this.readable, folder)) } };
    if (message.type === 'bring') {
      const path = placeIn(this.readable, folder, String(message.name));
      return { parts: { bytes: readPiece(path, Number(message.offset)) } };
    }
    const error = this.failed.get(folder);
    this.failed.delete(folder);
    if (error !== undefined) throw error;
    return {};
  }

  private write({ folder, name, offset, bytes }: Message): void {
    const key = String(folder);
    if (this.failed.has(key)) return;
    try {
      const path = placeIn(this.writable, key, String(name));
      mkdirSync(dirname(path), { recursive: true });
      // A new file, so that nothing is written through a link.
      if (offset === 0) rmSync(path, { force: true });
      const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND } = constants;
      const file = openSync(path, O_WRONLY | O_APPEND | (offset === 0 ? O_CREAT | O_EXCL : 0));
      try {
        if (fstatSync(file).size !== offset) throw new Error(`${path} did not come in order`);
        for (let rest = bytes as Uint8Array; rest.length > 0; ) rest = rest.subarray(writeSync(file, rest));
      } finally {
        closeSync(file);
      }
    } catch (error) {
      this.failed.set(key, error);
    }
  }
}

/** Returns the path of a file in a folder that is among those that the worker may use. */
function placeIn(allowed: ReadonlySet<string>, folder: string, name = ''): string {
  const root = resolve(folder);
  const path = join(root, name);
  const isInside = path === root || path.startsWith(root + sep);
  if (allowed.has(root) && isInside && !name.includes('\\')) return path;
  throw new Error(`The worker asked for ${join(folder, name)}, which was not named to it.`);
}

/** Names with `/` and sizes of the files of a folder. */
function filesOf(folder: string): Array<{ name: string; size: number }> {
  if (!existsSync(folder)) throw new Error(`There is no folder ${folder} any more.`);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ name: relative(folder, path).replaceAll(sep, '/'), size: statSync(path).size }));
}

function readPiece(path: string, offset: number): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(PIECE);
    const read = readSync(file, bytes, 0, PIECE, offset);
    if (read === 0) throw new Error(`${path} has become shorter while it was read.`);
    return bytes.slice(0, read);
  } finally {
    closeSync(file);
  }
}
