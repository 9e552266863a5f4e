import { analyse, analyseAsync } from './analysis';
import { checkSource, type SyntaxProblem } from './compile';

/** A forbidden construct or a syntax error in a strategy. Lines and columns count from 1. */
export interface CodeProblem extends SyntaxProblem {
  kind: 'syntax' | 'forbidden';
}

/**
 * Returns what is wrong with a strategy's source, in the order of the text; empty when
 * nothing is.
 *
 * `syntax`: it is neither JavaScript nor TypeScript, or declares no function
 * `strategy`. `forbidden`: it imports or exports, is asynchronous, makes code
 * from text, or names what lies outside its arguments (`process`,
 * `globalThis`, `fetch`, …), constructors or prototypes.
 *
 * #### Notes
 * The code is parsed in a thread of its own, which has a second of processor
 * time: what takes longer is a problem, too. The sandbox is the guard, not this check: code that slips through finds
 * nothing there to reach. The check exists so that trying can be seen and
 * punished by a reward function.
 */
export function checkCode(code: string): CodeProblem[] {
  checkSource('checkCode', code);
  return analyse(code).found.map((problem) => ({ ...problem }));
}

/** As {@link checkCode}, without blocking. */
export async function checkCodeAsync(code: string): Promise<CodeProblem[]> {
  checkSource('checkCode', code);
  return (await analyseAsync(code)).found.map((problem) => ({ ...problem }));
}
