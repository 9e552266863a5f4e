/**
 * Returns what ends the process, whatever `process.exit` has been replaced by
 * since.
 */
export function processEnd(): (code: number) => never {
  // What Node.js's own exit calls.
  const { exit, reallyExit } = process as NodeJS.Process & { reallyExit: unknown };
  return (code) => {
    Object.assign(process, { reallyExit });
    return exit.call(process, code);
  };
}
