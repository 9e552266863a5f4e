import { createContext, Script, type Context } from 'node:vm';
import { Stopwatch } from '../common/processorTime';

/** Something took longer than it may. */
export class DeadlineError extends Error {
  override name = 'DeadlineError';
}

/** Milliseconds by the clock after which nothing is tried again. */
const LONGEST = 30_000;

let context: Context | undefined;
const script = new Script('work()');

/**
 * What `work` gives, which is ended where it takes longer, also within a
 * regular expression. Nothing that it changes may be used again after that.
 * Costs a tenth of a millisecond. Time that other programs had does not count:
 * then it is done again, so `work` must be something that can be.
 *
 * @throws DeadlineError where it took longer
 */
export function withDeadline<Result>(work: () => Result, milliseconds: number): Result {
  context ??= createContext({});
  let result!: Result;
  const before = context.work;
  context.work = () => void (result = work());
  try {
    for (let timeout = milliseconds; ; timeout *= 4) {
      const stopwatch = new Stopwatch();
      stopwatch.start();
      if (endsWithin(timeout, context)) return result;
      if (stopwatch.elapsed > milliseconds / 2 || timeout > LONGEST) throw new DeadlineError(`It took more than ${milliseconds / 1000} s.`);
    }
  } finally {
    context.work = before;
  }
}

function endsWithin(timeout: number, where: Context): boolean {
  try {
    script.runInContext(where, { timeout });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return false;
  }
}
