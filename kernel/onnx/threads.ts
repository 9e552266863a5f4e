import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

let chosen: number | undefined;

/** Settings of sessions that are made afterwards. */
export const runtimeSettings = {
  /**
   * Threads that one operator may use: `$JOYLAB_THREADS`, by default one per
   * core that this process may use. Results depend on it in the last bits.
   */
  get threads(): number {
    // Found out at the first use, so that a wrong value is an error of what needs it.
    return (chosen ??= threadsFrom(process.env));
  },
  set threads(threads: number) {
    chosen = threads;
  },
};

/** Returns the number of threads that the environment asks for. Throws when `JOYLAB_THREADS` is not a whole number from 1. */
export function threadsFrom({ JOYLAB_THREADS: given }: NodeJS.ProcessEnv): number {
  if (given === undefined || given === '')
    return Math.max(1, Math.min(availableParallelism(), physicalCores(), Math.ceil(quota())));
  const threads = Number(given);
  if (!Number.isInteger(threads) || threads < 1)
    throw new Error(
      `JOYLAB_THREADS is ${JSON.stringify(given)}. Valid: a whole number from 1, or nothing for one thread per core.`,
    );
  return threads;
}

/**
 * Returns the number of physical cores. Two threads on one core share its multiplier:
 * they are not faster than one, and wait for each other.
 */
function physicalCores(): number {
  const logical = cpus().length || 1;
  const siblings = new Set<string>();
  for (let cpu = 0; cpu < logical; cpu++) {
    const list = readQuietly(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
    // Not Linux: processors of Intel's kind have two threads per core, as a rule.
    if (list === null) return process.arch === 'x64' && logical > 2 ? Math.ceil(logical / 2) : logical;
    siblings.add(list);
  }
  return siblings.size;
}

/** Returns the number of processors whose time a container may use; Infinity where nothing limits it. */
function quota(): number {
  const [limit, period] = (readQuietly('/sys/fs/cgroup/cpu.max') ?? 'max').split(' ').map(Number);
  return limit > 0 && period > 0 ? limit / period : Infinity;
}

function readQuietly(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
