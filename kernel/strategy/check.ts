import { analyse, analyseAsync } from './analysis';
import { checkSource, type SyntaxProblem } from './compile';

/** A forbidden construct or a syntax error in a strategy. Lines and columns count from 1. */
export interface CodeProblem extends SyntaxProblem {
  kind: 'syntax' | 'forbidden';
}

/**
 * Returns the problems of a strategy's source, in the order of the text; empty when
 * there are none.
 *
 * `syntax`: it is neither JavaScript nor TypeScript, or declares no function
 * `strategy`. `forbidden`: it imports or exports, is asynchronous, makes code from
 * text, or names what lies outside its arguments (`process`, `globalThis`, `fetch`,
 * …), constructors or prototypes.
 *
 * #### Notes
 * The code is parsed in a thread of its own, within a second of processor time: code
 * that takes longer is a `syntax` problem. The sandbox is the guard, not this check:
 * code that evades it can reach nothing there. The check exists so that a reward
 * function can see and punish attempts.
 *
 * @throws TypeError when `code` is not a string
 */
export function checkCode(code: string): CodeProblem[] {
  checkSource('checkCode', code);
  return analyse(code).found.map((problem) => ({ ...problem }));
}

/** Resolves to the result of {@link checkCode}, without blocking. */
export async function checkCodeAsync(code: string): Promise<CodeProblem[]> {
  checkSource('checkCode', code);
  return (await analyseAsync(code)).found.map((problem) => ({ ...problem }));
}
