import type * as ts from 'typescript';
import type { BoundFile } from './notebook';
import { typescript } from './typescript';

/** What TypeScript keeps in a source file of a program, and its binder: neither is a part of its public API. */
interface ProgramFile extends BoundFile {
  path: string;
  resolvedPath: string;
  originalFileName: string;
  imports: readonly ts.StringLiteralLike[];
  moduleAugmentations: readonly ts.StringLiteral[];
  ambientModuleNames: readonly string[];
}
type Binder = (file: ts.SourceFile, options: ts.CompilerOptions) => void;

/**
 * Whether a text may bring files into the program or declare something
 * outside its own scope; words in strings and comments count, too.
 */
export function reachesOut(text: string): boolean {
  return /\b(?:import|export|require|declare|namespace|module|global)\b|\/\/\/|@jsx/.test(text);
}

/**
 * A source file beside a program. The program's checker can check it, and the
 * program emit it, as one of its own, as long as its text does not reach out:
 * a new program with a new checker would cost more than the cell.
 *
 * @param path where its imports are resolved: a copy of a file has that one's
 */
export function guestFile(program: ts.Program, name: string, text: string, path = name): BoundFile {
  const compiler = typescript();
  const options = program.getCompilerOptions();
  const isModule = (file: ts.SourceFile) =>
    void ((file as { externalModuleIndicator?: unknown }).externalModuleIndicator = true);
  const file = compiler.createSourceFile(name, text, {
    languageVersion: options.target!,
    setExternalModuleIndicator: isModule,
  }) as ProgramFile;
  Object.assign(file, {
    path,
    resolvedPath: path,
    originalFileName: name,
    imports: [],
    moduleAugmentations: [],
    ambientModuleNames: [],
  } satisfies Partial<ProgramFile>);
  (compiler as unknown as { bindSourceFile: Binder }).bindSourceFile(file, options);
  return file;
}

/** Makes a file the scope around another. */
export function setParent(file: ts.SourceFile, parent: ts.SourceFile | undefined): void {
  (file as { parent?: ts.Node }).parent = parent;
}
