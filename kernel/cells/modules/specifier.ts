/** Returns whether a specifier is a path: `./file`, `../file` or `/file`. */
export function isRelative(specifier: string): boolean {
  return /^\.{0,2}\//.test(specifier);
}
