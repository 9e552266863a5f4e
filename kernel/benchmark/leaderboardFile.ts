import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { entryKey, type BenchmarkEntry } from './entry';

const FORMAT = 'joylab leaderboard';
const VERSION = 1;

/** The file of a leaderboard. Each run adds its entries to those that are there. */
export class LeaderboardFile {
  readonly path: string;

  /** @param file its name, relative to the working folder, which is the notebook's */
  constructor(file: string) {
    this.path = resolve(file);
  }

  get name(): string {
    return basename(this.path);
  }

  /**
   * Returns the entries of the file; none where there is no file.
   *
   * @throws Error where it is no leaderboard; it is left as it is
   */
  read(): BenchmarkEntry[] {
    if (!existsSync(this.path)) return [];
    let content: any;
    try {
      content = JSON.parse(readFileSync(this.path, 'utf8'));
    } catch (error) {
      throw new Error(`${this.path} cannot be read as a leaderboard (${(error as Error).message}). ${LEFT}`);
    }
    if (content?.format !== FORMAT || !Array.isArray(content.entries) || !content.entries.every(isEntry))
      throw new Error(`${this.path} is no leaderboard. ${LEFT}`);
    if (content.version !== VERSION)
      throw new Error(
        `${this.path} is a leaderboard of version ${content.version}, and this Joylab knows ${VERSION}. ${LEFT}`,
      );
    return content.entries;
  }

  /** Returns the entry of a key; `undefined` where there is none. */
  find(key: string): BenchmarkEntry | undefined {
    return this.read().find((entry) => entryKey(entry) === key);
  }

  /**
   * Adds an entry, or replaces that of the same key. Other processes may add to the file at
   * the same time: one after another reads it again, and writes it as a whole or not at all.
   */
  put(entry: BenchmarkEntry): void {
    const key = entryKey(entry);
    // The new file is the lock, too: only one process can create it.
    const partial = `${this.path}.partial`;
    const file = createAlone(partial);
    try {
      try {
        const entries = this.read();
        const at = entries.findIndex((one) => entryKey(one) === key);
        if (at < 0) entries.push(entry);
        else entries[at] = entry;
        writeFileSync(file, `${JSON.stringify({ format: FORMAT, version: VERSION, entries }, null, 1)}\n`);
      } finally {
        closeSync(file);
      }
      renameSync(partial, this.path);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    }
  }
}

/** Milliseconds between two tries, and after which what was created is of a process that has ended: writing takes a few. */
const TRY_AGAIN = 20;
const LEFT_BEHIND = 10_000;

/** Creates a file that no other process is writing, and opens it. */
function createAlone(path: string): number {
  for (;;) {
    try {
      return openSync(path, 'wx');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      if (written !== undefined && Date.now() - written > LEFT_BEHIND) rmSync(path, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_AGAIN);
    }
  }
}

const LEFT = 'It was left as it is: move it away, or give another file.';

/** Returns whether a value has what is read of an entry. */
function isEntry(value: any): value is BenchmarkEntry {
  return (
    typeof value?.policy === 'string' &&
    typeof value.environment?.name === 'string' &&
    Array.isArray(value.seeds) &&
    Array.isArray(value.attempts) &&
    value.attempts.every(
      (attempt: any) =>
        attempt?.returns === null ||
        (Array.isArray(attempt?.returns) &&
          attempt.returns.length === value.seeds.length &&
          attempt.returns.every(Number.isFinite)),
    )
  );
}
