import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
   * Adds an entry, or replaces that of the same key. Other runs may have added to the file
   * meanwhile: it is read again, and written as a whole or not at all.
   */
  put(entry: BenchmarkEntry): void {
    const key = entryKey(entry);
    const entries = this.read();
    const at = entries.findIndex((one) => entryKey(one) === key);
    if (at < 0) entries.push(entry);
    else entries[at] = entry;
    const partial = `${this.path}.${process.pid}.partial`;
    try {
      writeFileSync(partial, `${JSON.stringify({ format: FORMAT, version: VERSION, entries }, null, 1)}\n`);
      renameSync(partial, this.path);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
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
