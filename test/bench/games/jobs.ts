import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, closeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Run, Store } from './store';

/** Cores of a run. */
const CORES = 2;

/**
 * Executes runs, `jobs` at a time, each in a process of its own, and where the system
 * allows it on two cores of its own. A failed run is reported, and the others go on.
 * The log of a run is beside its result.
 *
 * @returns the runs that failed
 */
export async function runAll(
  runs: readonly Run[],
  store: Store,
  jobs: number,
  tell: (line: string) => void,
): Promise<Run[]> {
  const queue = [...runs];
  const failed: Run[] = [];
  const cores = jobs > 1 ? allowedCores() : [];
  const worker = async (job: number): Promise<void> => {
    for (let run = queue.shift(); run; run = queue.shift()) {
      const { game, variant, seed } = run;
      const started = Date.now();
      tell(`${game} ${variant} ${seed}: starts`);
      const ended = await runOne(run, store.path(run), coresOf(job, cores));
      if (ended !== 0) failed.push(run);
      tell(
        `${game} ${variant} ${seed}: ${ended === 0 ? 'done' : `failed, see ${logOf(store.path(run))}`} after ${Math.round((Date.now() - started) / 1000)} s`,
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, runs.length) }, (_, job) => worker(job)));
  return failed;
}

/** Returns the numbers of the cores that this process may use; none where the system has no `taskset`. */
function allowedCores(): number[] {
  const { status, stdout } = spawnSync('taskset', ['--cpu-list', '--pid', String(process.pid)], { encoding: 'utf8' });
  return status === 0 ? listedCores(stdout.split(':').at(-1)!) : [];
}

/** Returns the numbers in a list of cores: 0, 1, 2, 5 for "0-2,5". */
export function listedCores(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

/** Returns the cores of the `job`-th concurrent run; they are shared where there are not enough. */
export function coresOf(job: number, cores: readonly number[]): string | undefined {
  if (cores.length === 0) return undefined;
  return Array.from({ length: Math.min(CORES, cores.length) }, (_, i) => cores[(CORES * job + i) % cores.length]).join(
    ',',
  );
}

function logOf(path: string): string {
  return path.replace(/\.json$/, '.log');
}

/** Executes a run and resolves to its exit code; 1 where it was killed. */
function runOne({ game, variant, seed, settings }: Run, path: string, cores: string | undefined): Promise<number> {
  mkdirSync(dirname(path), { recursive: true });
  const log = openSync(logOf(path), 'w');
  const command = [
    process.execPath,
    join(__dirname, 'run.js'),
    game,
    variant,
    String(seed),
    path,
    ...(settings === undefined ? [] : [settings]),
  ];
  const [program, ...args] = cores === undefined ? command : ['taskset', '--cpu-list', cores, ...command];
  const child = spawn(program, args, {
    stdio: ['ignore', log, log],
    env: { ...process.env, OMP_NUM_THREADS: String(CORES) },
  });
  closeSync(log);
  const end = (): void => void child.kill();
  process.on('exit', end);
  return new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  }).finally(() => process.off('exit', end));
}
