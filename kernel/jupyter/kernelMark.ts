/**
 * The variable that marks what the cells of a kernel start, also by way of
 * shells and of programs that leave their process group: each process hands
 * its variables to those that it starts.
 */
export const KERNEL_MARK = 'JOYLAB_KERNEL_ID';

/** The options of `ChildProcess.prototype.spawn` that concern the mark. */
export interface MarkedOptions {
  detached?: boolean;
  envPairs?: string[];
}

/** With the mark of what ends with the kernel; without one where the child is to outlive it. */
export function marked<Options extends MarkedOptions>(options: Options, mark: string | undefined): Options {
  if (typeof options !== 'object' || options === null) return options;
  const { envPairs = Object.entries(process.env).map(([name, value]) => `${name}=${value}`), detached } = options;
  if (!mark || !Array.isArray(envPairs)) return options;
  const others = envPairs.filter((pair) => !String(pair).startsWith(`${KERNEL_MARK}=`));
  return { ...options, envPairs: detached ? others : [...others, `${KERNEL_MARK}=${mark}`] };
}
