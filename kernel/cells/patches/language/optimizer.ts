import { setFlagsFromString } from 'node:v8';

/**
 * Runs work once without V8's optimizing compiler: code that runs for the
 * first time, as the TypeScript compiler does when a kernel starts, ends
 * before what is optimized meanwhile pays off.
 */
export function withoutOptimizer(work: () => void): void {
  setFlagsFromString('--no-opt');
  try {
    work();
  } finally {
    setFlagsFromString('--opt');
  }
}
