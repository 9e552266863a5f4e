/**
 * The environment variable that marks the processes which cells of a kernel
 * start, also those of shells and those that leave their process group: a
 * process inherits the variables of its parent.
 */
export const KERNEL_MARK = 'JOYLAB_KERNEL_ID';

/** The options of `ChildProcess.prototype.spawn` that concern the mark. */
export interface MarkedOptions {
  detached?: boolean;
  envPairs?: string[];
}

/** Returns the options with the mark in the child's variables; without it for a detached child, which outlives the kernel. */
export function marked<Options extends MarkedOptions>(options: Options, mark: string | undefined): Options {
  if (typeof options !== 'object' || options === null) return options;
  const { envPairs = Object.entries(process.env).map(([name, value]) => `${name}=${value}`), detached } = options;
  if (!mark || !Array.isArray(envPairs)) return options;
  const others = envPairs.filter((pair) => !String(pair).startsWith(`${KERNEL_MARK}=`));
  return { ...options, envPairs: detached ? others : [...others, `${KERNEL_MARK}=${mark}`] };
}
