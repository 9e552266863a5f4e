import { copyFileSync, existsSync, fsyncSync, closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';

/**
 * New files of a folder. They are written whole beside the old ones, under
 * names that end in `.partial`, and take their places together at the end: a
 * full disk or a kill while they are written leaves the folder as it was.
 */
export class FolderUpdate {
  private readonly files: string[] = [];
  private obsolete: { names: RegExp; folder: string } | null = null;

  private constructor(private readonly folder: string) {}

  /** Makes the folder where it is missing and lets `write` put files into it. */
  static async run(folder: string, write: (update: FolderUpdate) => Promise<void>): Promise<void> {
    const update = new FolderUpdate(folder);
    try {
      mkdirSync(folder, { recursive: true });
      await write(update);
    } catch (error) {
      update.drop();
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC') throw new Error(`${folder}: the disk is full (${message}); free some space and save again. Nothing in the folder has changed`, { cause: error });
      if (code === 'EEXIST' || code === 'ENOTDIR') throw new Error(`${folder} is not a folder; give another name to save to`, { cause: error });
      throw error;
    }
    update.settle();
  }

  /** A file that `write` makes at the path it is given, on the disk when it is done. */
  async stream(name: string, write: (path: string) => Promise<void>): Promise<void> {
    await write(this.partial(name));
  }

  /** A text file. */
  text(name: string, text: string): void {
    const path = this.partial(name);
    writeFileSync(path, text);
    flush(path);
  }

  /** A JSON file. */
  json(name: string, value: object): void {
    this.text(name, JSON.stringify(value, null, 2) + '\n');
  }

  /** Those of the files that another folder has. */
  copy(from: string, names: readonly string[]): void {
    if (resolve(from) === resolve(this.folder)) return;
    for (const name of names) {
      if (!existsSync(join(from, name))) continue;
      const path = this.partial(name);
      copyFileSync(join(from, name), path);
      flush(path);
    }
  }

  /** Files of these names (of a subfolder) that are not among the new ones are removed at the end. */
  removeOthers(names: RegExp, subfolder = ''): void {
    this.obsolete = { names, folder: subfolder };
  }

  /** Where a new file is to be written. */
  partial(name: string): string {
    this.files.push(name);
    const path = join(this.folder, `${name}.partial`);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  private settle(): void {
    for (const name of this.files) renameSync(join(this.folder, `${name}.partial`), join(this.folder, name));
    if (!this.obsolete) return;
    const { names, folder } = this.obsolete;
    for (const name of readdirSync(join(this.folder, folder))) {
      if (names.test(name) && !this.files.includes(posix.join(folder, name))) rmSync(join(this.folder, folder, name));
    }
  }

  private drop(): void {
    for (const name of this.files) rmSync(join(this.folder, `${name}.partial`), { force: true });
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
