import { createContext, Script, type Context } from 'node:vm';
import { Stopwatch } from './processorTime';

/** Something took longer than it may. */
export class DeadlineError extends Error {
  override name = 'DeadlineError';
}

let context: Context | undefined;
const script = new Script('work()');

/** How many times its processor time work may take by the clock, on a machine that is busy with other processes. */
const MOST_BY_THE_CLOCK = 32;

/**
 * Returns the result of `work`, which is ended when it takes longer than
 * `milliseconds` of processor time, also within a regular expression. What it
 * has changed must not be used after that. Work that is ended because the
 * machine is busy with other processes is run again from its start, with twice
 * the time. A call costs 0.1 ms.
 *
 * @throws DeadlineError when it takes longer
 */
export function withDeadline<Result>(work: () => Result, milliseconds: number): Result {
  for (let timeout = milliseconds; ; timeout *= 2) {
    const stopwatch = new Stopwatch();
    stopwatch.start();
    const done = within(work, timeout);
    if (done) return done.result;
    if (stopwatch.elapsed > milliseconds / 2 || timeout > MOST_BY_THE_CLOCK * milliseconds)
      throw new DeadlineError(`It took more than ${milliseconds / 1000} s.`);
  }
}

function within<Result>(work: () => Result, timeout: number): { result: Result } | undefined {
  context ??= createContext({});
  let result!: Result;
  const outer = context.work;
  context.work = () => void (result = work());
  try {
    script.runInContext(context, { timeout });
    return { result };
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  } finally {
    context.work = outer;
  }
}
