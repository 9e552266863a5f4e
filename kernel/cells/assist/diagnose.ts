import { DIAGNOSTICS_COMM, type Diagnosis, type DiagnosticsAnswer, type DiagnosticsRequest } from '../../display/mime';
import type { CommOpener } from '../../jupyter/interpreter';
import { isObjectLiteral } from '../compile/declarations';
import { explain, type Explanation } from '../compile/problems/explain';
import type { NotebookProgram } from '../compile/program/notebook';
import { prepareDirectives } from '../directives';
import { CellFailure } from '../errors';

/** Codes of errors about unknown names, which a cell that has not run yet may declare. */
const UNKNOWN_NAMES = [2304, 2503, 2552, 18004];
/** Problems that are marked in one cell, at most. */
const MAXIMUM = 50;

/** Answers a front end that asks for the errors of a cell that is being edited: see {@link DIAGNOSTICS_COMM}. */
export function serveDiagnostics(comms: CommOpener, notebook: NotebookProgram): void {
  comms.registerTarget(DIAGNOSTICS_COMM, (comm) => {
    comm.onMessage(({ id, code }: DiagnosticsRequest) => {
      comm.send({ id, problems: diagnose(notebook, String(code)) } satisfies DiagnosticsAnswer);
    });
  });
}

/** Returns the compiler's errors about a cell, and those about its directives. Nothing runs. */
export function diagnose(notebook: NotebookProgram, code: string): Diagnosis[] {
  try {
    const preamble = isObjectLiteral(code) ? '(' : prepareDirectives(code, notebook.names()).preamble;
    const cell = notebook.open(preamble + code + (preamble === '(' ? '\n)' : ''));
    const found = notebook.diagnostics(cell).filter((it) => it.file === cell.file && !UNKNOWN_NAMES.includes(it.code));
    return found
      .slice(0, MAXIMUM)
      .flatMap((it) => explain(cell.program, it))
      .map((it) => placed(it, preamble.length, code.length));
  } catch (error) {
    if (error instanceof CellFailure && error.place) return [placedFailure(error, code)];
    return [];
  }
}

function placed({ start, length, message }: Explanation, shift: number, end: number): Diagnosis {
  const from = Math.min(Math.max(0, start - shift), end);
  return { start: from, end: Math.min(from + length, end), message };
}

function placedFailure({ place, message }: CellFailure, code: string): Diagnosis {
  const { line, column, length = 1 } = place!;
  const before = code.split('\n').slice(0, line - 1);
  const start = before.reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
  return { start, end: start + length, message };
}
