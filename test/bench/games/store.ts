import { createHash } from 'node:crypto';
import {
  type Dirent,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Published } from './published';

/** A line of a table: how something plays on the held-out starts. */
export interface Line {
  /** "random edits", "always FIRE". */
  name: string;
  /** Returns by the limit of steps, one per start. */
  returns: Record<string, number[]>;
  /** Further figures, one per start, such as the highest tile. */
  more?: Record<string, number[]>;
  /** The program that played. */
  program?: string;
}

/** One run. */
export interface Run {
  game: string;
  variant: string;
  seed: number;
  /** Settings of training as JSON, where they are not the defaults. */
  settings?: string;
}

export interface RunResult extends Run {
  /** Hash of the sources that it depends on. */
  version: string;
  lines: Line[];
  /** Number of episodes of training and choosing, without the report. */
  episodes: number;
  /** Seconds, without the report. */
  seconds: number;
  /** Number of cores. */
  cores: number;
  /** Scores that others have published. */
  published?: Published[];
  /** Further figures of the run: edits that improved their parent… */
  figures?: Record<string, number>;
}

/**
 * Results of runs, one JSON file each: `VERSION/GAME.VARIANT.SEED.json`, with a
 * hash of the settings where they are given. A file exists as a whole or not at
 * all.
 */
export class Store {
  /** @param anyVersion whether the newest result of other sources replaces a missing one */
  constructor(
    private readonly folder: string,
    private readonly versionOf: (run: Run) => string,
    private readonly anyVersion = false,
  ) {}

  /** Returns the path of a run's result. */
  path(run: Run): string {
    return join(this.folder, this.versionOf(run), this.fileName(run));
  }

  private fileName(run: Run): string {
    const { game, variant, seed, settings } = run;
    const set = settings === undefined ? '' : `.${createHash('sha256').update(settings).digest('hex').slice(0, 8)}`;
    return `${game}.${variant}.${seed}${set}.json`;
  }

  /** Returns the result of a run; `undefined` where there is none, or its file cannot be read. */
  read(run: Run): RunResult | undefined {
    return readResult(this.path(run)) ?? (this.anyVersion ? this.newest(this.fileName(run)) : undefined);
  }

  private newest(fileName: string): RunResult | undefined {
    const versions = existsSync(this.folder) ? readdirSync(this.folder) : [];
    const paths = versions.map((version) => join(this.folder, version, fileName)).filter(existsSync);
    const times = new Map(paths.map((path) => [path, statSync(path).mtimeMs]));
    return paths
      .sort((a, b) => times.get(b)! - times.get(a)!)
      .map(readResult)
      .find((result) => result !== undefined);
  }

  /** Returns whether a result is of other sources than the present ones. */
  isOld(result: RunResult): boolean {
    return result.version !== this.versionOf(result);
  }

  /** Returns the existing results of runs. */
  results(runs: readonly Run[]): RunResult[] {
    return runs.flatMap((run) => this.read(run) ?? []);
  }

  missing(runs: readonly Run[]): Run[] {
    return runs.filter((run) => !this.read(run));
  }
}

/** Writes a result as a whole. */
export function writeResult(path: string, result: RunResult): void {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}.part`;
  writeFileSync(unfinished, `${JSON.stringify(result, null, 1)}\n`);
  renameSync(unfinished, path);
}

function readResult(path: string): RunResult | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunResult;
  } catch {
    return undefined;
  }
}

/** Returns a hash of files and of all files in folders, by their paths and contents; caches and maps are left out. */
export function contentHash(root: string, paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths.flatMap((one) => filesIn(join(root, one))).sort()) {
    hash
      .update(`${relative(root, path)}\n`)
      .update(readFileSync(path))
      .update('\n');
  }
  return hash.digest('hex').slice(0, 12);
}

function filesIn(path: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return [path];
    throw error;
  }
  return entries.flatMap((entry) => (entry.name === '__pycache__' ? [] : filesIn(join(path, entry.name))));
}
