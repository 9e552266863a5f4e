import { copyFileSync, existsSync, fsyncSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';

/**
 * New files of a folder. They are written whole beside the old ones, under
 * names that end in `.partial`, and take their places together at the end: a
 * full disk or a kill while they are written leaves the folder as it was. A
 * kill while they take their places leaves a list of them, by which
 * {@link finishUpdate} makes up for the rest.
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
      finishUpdate(folder);
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
    const list = join(this.folder, LIST);
    writeFileSync(`${list}.partial`, JSON.stringify({ files: this.files, obsolete: this.obsoleteFiles() } satisfies Places));
    flush(`${list}.partial`);
    // From here on the new files count.
    renameSync(`${list}.partial`, list);
    finishUpdate(this.folder);
  }

  private obsoleteFiles(): string[] {
    if (!this.obsolete) return [];
    const { names, folder } = this.obsolete;
    return readdirSync(join(this.folder, folder)).filter((name) => names.test(name)).map((name) => posix.join(folder, name)).filter((name) => !this.files.includes(name));
  }

  private drop(): void {
    for (const name of this.files) rmSync(join(this.folder, `${name}.partial`), { force: true });
  }
}

/** What a folder that is being updated says of its new files, and of those that go. */
interface Places {
  files: string[];
  obsolete: string[];
}

const LIST = '.update.json';

/** Makes up for what a process did not come to that was killed while the new files of a folder took their places. */
export function finishUpdate(folder: string): void {
  const list = join(folder, LIST);
  if (!existsSync(list)) return;
  const { files, obsolete } = JSON.parse(readFileSync(list, 'utf8')) as Places;
  // The list may have come with the folder from elsewhere: nothing outside is touched.
  const inside = (name: string) => !relative(folder, join(folder, name)).startsWith('..');
  for (const name of files.filter(inside)) {
    if (existsSync(join(folder, `${name}.partial`))) renameSync(join(folder, `${name}.partial`), join(folder, name));
  }
  for (const name of obsolete.filter(inside)) rmSync(join(folder, name), { force: true });
  rmSync(list, { force: true });
}

function flush(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
