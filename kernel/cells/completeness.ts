import type { Completeness } from '../jupyter/interpreter';
import { parse } from './compile/declarations';
import { isCompleteCode } from './patches/tslab';
import { syntaxErrors } from './patches/typescript';

/** Codes of errors that the end of the text causes, whatever their position: an open template, an open comment. */
const OPEN = new Set([1160, 1010]);
/** Code of the error of an open string, which the end of its line causes. */
const OPEN_STRING = 1002;

/** Returns whether a front end that reads line by line may run the code, by tslab's rules; a syntax error is `invalid`. */
export function completeness(code: string): Completeness {
  const { completed, indent } = isCompleteCode(code);
  const problems = syntaxErrors(parse(code));
  if (problems.some((it) => OPEN.has(it.code))) return { status: 'incomplete', indent: '' };
  const end = code.trimEnd().length;
  // Something is missing at the end, and nothing is wrong before.
  const unfinished =
    problems.length > 0 && problems.every(({ start = 0, code }) => start >= end && code !== OPEN_STRING);
  if (completed && !unfinished) return { status: problems.length > 0 ? 'invalid' : 'complete' };
  // The indent of a line that is still empty is that of the one before it.
  return { status: 'incomplete', indent: (code.endsWith('\n') ? isCompleteCode(code.trimEnd()).indent : indent) ?? '' };
}
