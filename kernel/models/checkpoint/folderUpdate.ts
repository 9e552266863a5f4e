import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { readJsonFile } from './jsonFile';
import { checkRegularFile } from './regularFile';

/**
 * Replaces files of a folder together. New files are written whole beside the old
 * ones, under names that end in `.partial`, and renamed at the end: a full disk or a
 * kill while they are written leaves the folder as it was. A kill while they are
 * renamed leaves a list of them, by which {@link finishUpdate} renames the rest.
 *
 * Files in the folder may have come from elsewhere: links among them are replaced,
 * never written through.
 */
export class FolderUpdate {
  private readonly files: string[] = [];
  private obsolete: { names: RegExp; folder: string } | null = null;

  private constructor(private readonly folder: string) {}

  /**
   * Creates the folder where it is missing, and lets `write` put files into it. Throws,
   * and leaves the folder as it was, when that fails.
   */
  static async run(folder: string, write: (update: FolderUpdate) => Promise<void>): Promise<void> {
    const update = new FolderUpdate(folder);
    try {
      mkdirSync(folder, { recursive: true });
      finishUpdate(folder);
      await write(update);
      update.checkPlaces();
    } catch (error) {
      update.drop();
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC')
        throw new Error(
          `${folder}: the disk is full (${message}); free some space and save again. Nothing in the folder has changed`,
          { cause: error },
        );
      if (code === 'EEXIST' || code === 'ENOTDIR')
        throw new Error(`${folder} is not a folder; give another name to save to`, { cause: error });
      throw error;
    }
    update.settle();
  }

  /** Adds a file that `write` creates, and flushes, at the path that it is given. */
  async stream(name: string, write: (path: string) => Promise<void>): Promise<void> {
    await write(this.partial(name));
  }

  /** Adds a text file. */
  text(name: string, text: string): void {
    writeNew(this.partial(name), () => text);
  }

  /** Adds a JSON file. */
  json(name: string, value: object): void {
    this.text(name, JSON.stringify(value, null, 2) + '\n');
  }

  /** Copies the named files that another folder has. */
  copy(from: string, names: readonly string[]): void {
    if (existsSync(from) && realpathSync(from) === realpathSync(this.folder)) return;
    for (const name of names) {
      if (!existsSync(join(from, name))) continue;
      checkRegularFile(join(from, name));
      const path = this.partial(name);
      copyFileSync(join(from, name), path, constants.COPYFILE_EXCL);
      flush(path);
    }
  }

  /** Removes at the end files of these names (in a subfolder) that are not among the new ones. */
  removeOthers(names: RegExp, subfolder = ''): void {
    this.obsolete = { names, folder: subfolder };
  }

  /** Returns the path at which a new file is to be written. Nothing exists there yet. */
  partial(name: string): string {
    const path = `${placeIn(this.folder, name)}.partial`;
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    this.files.push(name);
    return path;
  }

  /** Throws when a file cannot be replaced, before any is. */
  private checkPlaces(): void {
    for (const name of this.files) {
      const path = placeIn(this.folder, name);
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
        throw new Error(`${path} is a folder, where a file is to be saved; remove it, or save to another folder`);
    }
  }

  private settle(): void {
    const list = join(this.folder, LIST);
    rmSync(`${list}.partial`, { force: true });
    const places = { files: this.files, obsolete: this.obsoleteFiles() };
    writeNew(`${list}.partial`, (inode) => JSON.stringify({ inode, ...places } satisfies Signed));
    // From here on the new files count.
    renameSync(`${list}.partial`, list);
    takePlaces(this.folder, places);
  }

  private obsoleteFiles(): string[] {
    if (!this.obsolete) return [];
    const { names, folder } = this.obsolete;
    const there = readdirSync(join(this.folder, folder), { withFileTypes: true }).filter(
      (entry) => !entry.isDirectory() && names.test(entry.name),
    );
    return there.map(({ name }) => posix.join(folder, name)).filter((name) => !this.files.includes(name));
  }

  private drop(): void {
    for (const name of this.files) rmSync(`${join(this.folder, name)}.partial`, { force: true });
  }
}

/** The list in a folder that is being updated: its new files, and those to remove. */
interface Places {
  files: string[];
  obsolete: string[];
}

/** The list as its file has it. */
interface Signed extends Places {
  /** Inode of the file itself: a copy of it, or one from elsewhere, has another. */
  inode: string;
}

const LIST = '.update.json';

/**
 * Finishes the renaming of a folder's new files, where a process was killed in the
 * middle of it.
 *
 * @throws Error when the list of them was not made in this folder (nothing is touched
 *   then), or the folder cannot be written
 */
export function finishUpdate(folder: string): void {
  const list = join(folder, LIST);
  if (!lstatSync(list, { throwIfNoEntry: false })) return;
  const places = readPlaces(list);
  try {
    takePlaces(folder, places);
  } catch (error) {
    throw new Error(
      `${folder}: a save to it was interrupted and cannot be finished (${(error as Error).message}); make the folder writable and try again`,
      { cause: error },
    );
  }
}

function takePlaces(folder: string, { files, obsolete }: Places): void {
  const [come, go] = [files, obsolete].map((names) => names.map((name) => placeIn(folder, name)));
  for (const path of come) if (isFile(`${path}.partial`)) renameSync(`${path}.partial`, path);
  for (const path of go) rmSync(path, { force: true });
  rmSync(join(folder, LIST), { force: true });
}

function readPlaces(list: string): Places {
  const stats = lstatSync(list, { bigint: true });
  const names = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((name) => typeof name === 'string');
  try {
    const { inode, files, obsolete } = stats.isFile() ? readJsonFile(list) : {};
    if (inode === String(stats.ino) && names(files) && names(obsolete)) return { files, obsolete };
  } catch {
    // Not ours either.
  }
  throw new Error(
    `${list} was not left by a save to this folder: the folder was copied in the middle of a save, or comes from elsewhere. ` +
      'Nothing in it was changed; save or fetch it again, or delete this file to take the rest as it is',
  );
}

/** Names of files that saving writes, some in a subfolder. */
const NAME = /^(?:[a-z]+\/)?\w[\w.-]{0,200}$/;

/**
 * Returns the path of a file in the folder. Throws when the name is not that of a
 * saved file, or a link leads out of the folder.
 */
function placeIn(folder: string, name: string): string {
  if (!NAME.test(name))
    throw new Error(`${folder}: ${JSON.stringify(name.slice(0, 60))} is not the name of a file that is saved`);
  const path = join(folder, name);
  if (dirname(name) !== '.' && lstatSync(dirname(path), { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Error(`${dirname(path)} is a link; put a folder in its place, or save to another folder`);
  }
  return path;
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Creates and flushes a file with a text that may contain its inode. */
function writeNew(path: string, text: (inode: string) => string): void {
  const file = openSync(path, 'wx');
  try {
    const bytes = Buffer.from(text(String(fstatSync(file, { bigint: true }).ino)));
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
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
