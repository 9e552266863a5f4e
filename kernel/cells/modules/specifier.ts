/** Returns whether a specifier names a file, by its path. */
export function isRelative(specifier: string): boolean {
  return /^\.{0,2}\//.test(specifier);
}
