import type * as ts from 'typescript';
import { boundFile } from '../../patches/typescript';

/**
 * Returns whether a text may bring files into the program or declare something
 * outside its own scope; words in strings and comments count, too.
 */
export function reachesOut(text: string): boolean {
  return /\b(?:import|export|require|declare|namespace|module|global)\b|\/\/\/|@jsx/.test(text);
}

/**
 * Returns a source file beside a program. The program's checker can check it,
 * and the program emit it, as one of its own, as long as its text does not
 * reach out: a new program with a new checker would cost more than the cell.
 *
 * @param path where its imports are resolved: a copy of a file has that one's
 */
export function guestFile(program: ts.Program, name: string, text: string, path = name): ts.SourceFile {
  return boundFile({ name, text, path, options: program.getCompilerOptions(), isModule: true });
}
