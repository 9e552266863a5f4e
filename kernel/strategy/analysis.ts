import * as path from 'node:path';
import { BoundedThread, ThreadLimitError } from '../common/threads/boundedThread';
import type { CodeProblem } from './check';
import { lengthProblem, type Compiled, type SyntaxProblem } from './compile';

/** What is known of a source without running it. */
export interface Analysis extends Compiled {
  /** The problems that `checkCode` returns. */
  found: CodeProblem[];
}

/**
 * The thread in which sources are parsed and compiled, within a second of processor
 * time: a few hundred characters can keep a parser busy for hours, and what people
 * write takes a hundredth of this.
 */
const thread = new BoundedThread<string, Analysis>(path.join(__dirname, 'analysisThread.js'), { seconds: 1 });

/** Analyses of the last sources: what is checked is played soon after, and a model repeats itself. */
const recent = new Map<string, Analysis>();
const MOST_RECENT = 1024;
/** Characters of all kept sources, at most. */
const MOST_TEXT = 8_000_000;
let kept = 0;

/** Returns a source compiled and checked; blocks until that is done. */
export function analyse(code: string): Analysis {
  const known = recent.get(code) ?? tooLong(code);
  if (known) return known;
  try {
    return remembered(code, thread.call(code));
  } catch (error) {
    return remembered(code, unparsed(code, error));
  }
}

/** Resolves to the result of {@link analyse}, without blocking. */
export async function analyseAsync(code: string): Promise<Analysis> {
  const known = recent.get(code) ?? tooLong(code);
  if (known) return known;
  try {
    return remembered(code, await thread.callAsync(code));
  } catch (error) {
    return remembered(code, unparsed(code, error));
  }
}

function tooLong(code: string): Analysis | undefined {
  const problem = lengthProblem(code);
  return problem && refused(code, problem);
}

/** Returns the analysis of a source that exceeds the thread's limits. */
function unparsed(code: string, error: unknown): Analysis {
  if (!(error instanceof ThreadLimitError)) throw error;
  return refused(code, {
    line: 1,
    column: 1,
    reason: `the code takes too ${error.reason === 'timeout' ? 'long' : 'much memory'} to parse`,
  });
}

function refused(code: string, problem: SyntaxProblem): Analysis {
  return { program: { javascript: code }, problems: [problem], found: [{ kind: 'syntax', ...problem }] };
}

function remembered(code: string, analysis: Analysis): Analysis {
  if (recent.has(code)) return analysis;
  recent.set(code, analysis);
  kept += code.length;
  for (const oldest of recent.keys()) {
    if (recent.size <= MOST_RECENT && kept <= MOST_TEXT) break;
    recent.delete(oldest);
    kept -= oldest.length;
  }
  return analysis;
}
