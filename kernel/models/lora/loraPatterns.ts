import { join } from 'node:path';
import { BoundedThread, ThreadLimitError } from '../../common/threads/boundedThread';
import { describe } from '../checkpoint/jsonFile';
import { pythonPattern } from './pythonPattern';

/*
 * Matching of layers by the regular expressions of an adapter. They may come with
 * a file, and a few characters of them can take for ever.
 */

/** A request to the thread of {@link matchAll}. */
export interface PatternRequest {
  patterns: readonly string[];
  /** Paths of layers, and whether a pattern may match only the end of one, after a point. */
  keys: readonly string[];
  ends?: boolean;
}

/** Limits far above the number of layers of a model, and the seconds that matching takes. */
const MOST_PATTERNS = 10_000;
const SECONDS = 1;

/** Returns for each pattern whether it matches each key, by the rules of Python and PEFT. */
export function matchAll({ patterns, keys, ends }: PatternRequest): boolean[][] {
  return patterns.map((pattern) => {
    const expression = pythonPattern(ends ? `(.*\\.)?(${pattern})` : pattern);
    return keys.map((key) => expression.test(key));
  });
}

/**
 * Returns the result of {@link matchAll}, within limits. Throws when a pattern is not
 * valid, or matching takes too long.
 *
 * @param setting name of the setting with the patterns, for errors
 */
export function matchWithin(setting: string, request: PatternRequest): boolean[][] {
  const { patterns } = request;
  if (patterns.length > MOST_PATTERNS)
    throw new Error(`${setting} has ${patterns.length} entries; at most ${MOST_PATTERNS} are supported`);
  // Names alone, of which most adapters consist, are matched at once.
  const isHarmless = patterns.length <= 1000 && patterns.every((pattern) => /^[\w.]*$/.test(pattern));
  try {
    return isHarmless ? matchAll(request) : inThread(request);
  } catch (error) {
    if (!(error instanceof ThreadLimitError))
      throw new Error(`${setting}: ${(error as Error).message}`, { cause: error });
    const [first, ...more] = patterns;
    throw new Error(
      `${setting}: ${describe(first)}${more.length > 0 ? ` and ${more.length} more` : ''} cannot be matched: ${error.message}; write a simpler expression, or names of layers`,
      { cause: error },
    );
  }
}

function inThread(request: PatternRequest): boolean[][] {
  const thread = new BoundedThread<PatternRequest, boolean[][]>(join(__dirname, 'loraPatternsThread.js'), {
    seconds: SECONDS,
    memory: 64,
  });
  try {
    return thread.call(request);
  } finally {
    thread.dispose();
  }
}
