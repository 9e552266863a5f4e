import type * as ts from 'typescript';
import type { Completeness } from '../jupyter/interpreter';
import { parse } from './compile/declarations';

/** Errors that the end of the text makes, wherever they are said to be: an open template, an open comment. */
const OPEN = new Set([1160, 1010]);
/** A string ends with its line. */
const OPEN_STRING = 1002;

/** Whether a front end that reads line by line may run the code: tslab's rules, and a syntax error is `invalid`. */
export function completeness(code: string): Completeness {
  const { isCompleteCode } = require('tslab/dist/converter') as typeof import('tslab/dist/converter');
  const { completed, indent } = isCompleteCode(code);
  const { parseDiagnostics } = parse(code) as unknown as { parseDiagnostics: ts.Diagnostic[] };
  if (parseDiagnostics.some((it) => OPEN.has(it.code))) return { status: 'incomplete', indent: '' };
  const end = code.trimEnd().length;
  // Something is missing at the end, and nothing is wrong before.
  const unfinished =
    parseDiagnostics.length > 0 &&
    parseDiagnostics.every(({ start = 0, code }) => start >= end && code !== OPEN_STRING);
  if (completed && !unfinished) return { status: parseDiagnostics.length > 0 ? 'invalid' : 'complete' };
  // The indent of a line that is still empty is that of the one before it.
  return { status: 'incomplete', indent: (code.endsWith('\n') ? isCompleteCode(code.trimEnd()).indent : indent) ?? '' };
}
