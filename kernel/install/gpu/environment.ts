import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { environmentPython } from '../../common/packagePaths';
import { basePython, runPython, torchIndexUrl } from './pip';
import { step } from './terminal';

/** What an environment is made of. */
export interface EnvironmentPlan {
  /** Where it appears when it is whole: a link to where it was made. */
  folder: string;
  /** A list for pip. */
  requirements: string;
  /** Where PyTorch comes from, by name or address; by default where all packages do. */
  torchIndex?: string;
  /** Tries the new environment. What does not pass replaces none that is there. */
  passes(python: string): Promise<boolean>;
}

/**
 * Makes a Python environment beside its place, and moves it there when it passes. Where it does not, the one that was
 * there stays; where there was none, it is kept all the same: what is missing can be mended there.
 *
 * @returns whether it passed, and whether it is in place
 */
export async function makeEnvironment({
  folder,
  requirements,
  torchIndex,
  passes,
}: EnvironmentPlan): Promise<{ passed: boolean; inPlace: boolean }> {
  if (isOwnFolder(folder))
    throw new Error(`${folder} is not of this command's making: move it away, or name it by JOYLAB_GPU_PYTHON`);
  mkdirSync(dirname(folder), { recursive: true });
  removeLeftovers(folder);
  const made = mkdtempSync(`${folder}-${process.pid}-`);
  let inPlace = false;
  try {
    await fill(made, requirements, torchIndex);
    const passed = await passes(environmentPython(made));
    inPlace = passed || !existsSync(folder);
    if (inPlace) replaceLink(folder, made);
    return { passed, inPlace };
  } finally {
    if (!inPlace) rmSync(made, { recursive: true, force: true });
  }
}

async function fill(folder: string, requirements: string, torchIndex?: string): Promise<void> {
  const index = torchIndex && torchIndexUrl(torchIndex);
  const base = basePython();
  await step('Making a Python environment', () => runPython(base, ['-m', 'venv', folder]));
  const python = environmentPython(folder);
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off'];
  const torch = /^torch==.*$/m.exec(readFileSync(requirements, 'utf8'))?.[0];
  if (index && torch)
    // Alone: of an index that only PyTorch fills nothing else is taken but what PyTorch needs.
    await step(`Installing PyTorch from ${index}`, (detail) =>
      runPython(python, [...pip, torch, '--index-url', index], detail),
    );
  await step('Installing packages', (detail) => runPython(python, [...pip, '-r', requirements], detail));
}

/** A folder in the place of the link. */
function isOwnFolder(folder: string): boolean {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function replaceLink(folder: string, made: string): void {
  const before = lstatSync(folder, { throwIfNoEntry: false }) ? readlinkSync(folder) : null;
  const link = `${folder}.link`;
  rmSync(link, { force: true });
  symlinkSync(made, link, 'junction');
  // Windows renames nothing onto a junction.
  if (process.platform === 'win32') rmSync(folder, { force: true });
  renameSync(link, folder);
  if (before) rmSync(before, { recursive: true, force: true });
}

/** Removes what set-ups that were killed have left. */
function removeLeftovers(folder: string): void {
  const link = lstatSync(folder, { throwIfNoEntry: false }) ? basename(readlinkSync(folder)) : null;
  for (const name of readdirSync(dirname(folder))) {
    const pid = name.startsWith(`${basename(folder)}-`) ? /-(\d+)-\w+$/.exec(name)?.[1] : undefined;
    if (pid && name !== link && !isAlive(Number(pid)))
      rmSync(join(dirname(folder), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
