import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { formatBytes } from '../display/progress/progressBar';

/**
 * Checks that something fits into memory before any of it is made: the system
 * ends a process that takes more than there is, without a word.
 *
 * @param what takes it, as the subject of a sentence
 * @param advice what to do instead
 */
export function checkMemory(what: string, bytes: number, advice: string): void {
  const limit = largest();
  if (bytes > limit)
    throw new Error(
      `${what} would take ${formatBytes(bytes)} of memory, and there are ${formatBytes(limit)}; ${advice}`,
    );
}

/** Memory that a process can have, swapped out or not. */
function largest(): number {
  const group = process.constrainedMemory?.() || Infinity;
  return Math.min(group, totalmem() + swap());
}

function swap(): number {
  // Elsewhere it grows when it is needed.
  if (process.platform !== 'linux') return 3 * totalmem();
  try {
    return 1024 * Number(/^SwapTotal:\s*(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
