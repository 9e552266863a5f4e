import type * as ts from 'typescript';
import { withoutPlaces } from '../names';
import { meantOverload } from './overloads';
import { typescript } from '../typescript';
import { validAlternatives } from './valid';

/** A problem that TypeScript finds in a file, in words for the user. */
export interface Explanation {
  file: ts.SourceFile | undefined;
  /** Offsets into the file's text. */
  start: number;
  length: number;
  code: number;
  message: string;
}

/** Lines that a message has at most: behind the first come ever deeper reasons, of which the last say most. */
const MAXIMUM_LINES = 4;

/** Returns a problem in words for the user: of overloads the one that was meant, of names and values those that would be right. */
export function explain(program: ts.Program, diagnostic: ts.Diagnostic): Explanation[] {
  const { file } = diagnostic;
  const meant = meantOverload(program, diagnostic, (problem) => worded(program, problem));
  return (meant ?? [worded(program, diagnostic)]).map((it) => ({ ...it, file }));
}

function worded(program: ts.Program, diagnostic: ts.Diagnostic): Omit<Explanation, 'file'> {
  const { start = 0, length = 1, code, messageText } = diagnostic;
  const text = shortened(withoutPlaces(typescript().flattenDiagnosticMessageText(messageText, '\n')));
  return { start, length, code, message: text + validAlternatives(program, diagnostic) };
}

/** A union of which TypeScript itself leaves out a part, between its first members and its last. */
const LONG_UNION = /((?:"[^"\n]*" \| ){3})(?:"[^"\n]*" \| )+\.\.\. (\d+) more \.\.\. \| "[^"\n]*"/g;

function shortened(message: string): string {
  const lines = message.replace(LONG_UNION, '$1…').split('\n');
  if (lines.length > MAXIMUM_LINES) lines.splice(1, lines.length - MAXIMUM_LINES);
  return lines.join('\n');
}
