import { join, relative, resolve } from 'node:path';

/** Returns a path as people see it: relative to the working folder, which is that of the notebook, where it is inside. */
export function shownPath(path: string): string {
  const inside = relative(process.cwd(), path);
  return inside.startsWith('..') || resolve(inside) !== resolve(path) ? path : join(inside);
}
