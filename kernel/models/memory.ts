import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { formatBytes } from '../display/progress/progressBar';

/**
 * Throws when something does not fit into memory, before it is allocated: the system
 * ends a process that takes more than there is, without a message.
 *
 * @param what names it, as the subject of a sentence
 * @param advice what to do instead
 */
export function checkMemory(what: string, bytes: number, advice: string): void {
  const limit = largest();
  if (bytes > limit)
    throw new Error(
      `${what} would take ${formatBytes(bytes)} of memory, and there are ${formatBytes(limit)}; ${advice}`,
    );
}

/** Returns the bytes of memory that a process can have, swap included. */
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
