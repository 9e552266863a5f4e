import type * as ts from 'typescript';
import { awaits } from '../await';
import { FLAG } from '../../../jupyter/interrupt/flag';
import { interruptible } from '../../interrupt/guards';
import { cellImports } from './imports';
import { GUARD, REGION, RUNTIME, SCOPE } from '../names';
import { shareScope } from './scope';
import { typescript } from '../typescript';
import { hasUsing, keepUsed } from './using';

/** The JavaScript of a cell. */
export interface EmittedCell {
  output: string;
  /** The source map, as JSON, of the output after its first {@link PREFIX_LINES} lines. */
  map: string;
  /** True where the cell awaits outside functions. */
  isAsync: boolean;
}

/** Lines before the part of the output that the source map is about. */
export const PREFIX_LINES = 1;

/**
 * Compiles a cell that is free of errors. The output is the body of a
 * function of `exports`: every name that the cell declares at its top level
 * is a property of that object, where other cells find it.
 *
 * @param isCell whether a file is a cell of the notebook
 */
export function emitCell(
  program: ts.Program,
  file: ts.SourceFile,
  isCell: (file: ts.SourceFile) => boolean,
): EmittedCell {
  const compiler = typescript();
  const checker = program.getTypeChecker();
  const imports = cellImports(file, checker);
  let script = '';
  let map = '';
  const write = (name: string, text: string): void => {
    if (name.endsWith('.map')) map = text;
    else script = text;
  };
  program.emit(file, write, undefined, false, {
    before: [keepUsed, interruptible(compiler, { top: false })],
    after: [shareScope({ checker, file, imports, isCell })],
  });
  script = script.replace(/\/\/# sourceMappingURL=\S*\s*$/, '');
  // A block of its own, so that a cell may declare `exports` or `require`.
  const output = `"use strict"; const ${SCOPE} = exports, ${RUNTIME} = __tslab__.cell, ${REGION} = ${GUARD}[${FLAG.count}]; {\n${script}\n}`;
  return { output, map, isAsync: awaits(file) || hasUsing(file) === 'async' };
}
