import type * as TypeScript from 'typescript';
import { lengthProblem, typescript } from './compile';
import { edited, type Edit } from './edits';
import type { Outcome } from './outcome';

/** What a call of a marked program tells. */
export interface LineMark {
  /** The line that decided, from 1; 0: none is known. */
  line: number;
  /** What the strategy returned. Undefined where the call failed, or returned what is no JSON. */
  answer?: unknown;
}

/**
 * Returns a strategy whose `strategy` returns, beside its answer, the line of its
 * source that decided it: that of the `return` that was taken, or of the last branch of
 * an `if`, a `switch` or a `?:` before it where it returns a variable. Read with
 * {@link readMark}.
 *
 * #### Notes
 * Lines stay where they are. Marks are set in the function `strategy` itself. A source
 * that cannot be parsed is returned without marks: its calls fail as they did.
 */
export function markedProgram(code: string): string {
  if (lengthProblem(code)) return code;
  const ts = typescript();
  const mark = unusedName(code);
  let edits: Edit[];
  try {
    edits = marksOf(ts, ts.createSourceFile('strategy.ts', code, ts.ScriptTarget.ES2022, true), mark);
  } catch {
    return code;
  }
  return `var ${mark} = 0; var strategy = (() => { ${edited(code, edits)}
; return (...args) => { ${mark} = 0; const answer = strategy(...args); return { answer, line: ${mark} }; }; })();`;
}

/** Reads the outcome of a call of a marked program. */
export function readMark(outcome: Outcome): LineMark {
  if (outcome.kind === 'failure') return { line: outcome.failure.line ?? 0 };
  const value = outcome.kind === 'json' ? (outcome.value as LineMark | null) : null;
  return typeof value?.line === 'number' ? { line: value.line, answer: value.answer } : { line: 0 };
}

function marksOf(ts: typeof TypeScript, file: TypeScript.SourceFile, mark: string): Edit[] {
  const edits: Edit[] = [];
  const lineOf = (node: TypeScript.Node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  const insert = (at: number, text: string) => void edits.push({ at, text });
  const wrap = (expression: TypeScript.Expression): void => {
    insert(expression.getStart(file), `(${mark} = ${lineOf(expression)}, (`);
    insert(expression.getEnd(), '))');
  };
  const begin = (statement: TypeScript.Statement): void => {
    if (ts.isIfStatement(statement)) return;
    const block = ts.isBlock(statement) ? statement : null;
    const first = block?.statements[0] ?? statement;
    if (block) insert(block.getStart(file) + 1, ` ${mark} = ${lineOf(first)};`);
    else {
      insert(statement.getStart(file), `{ ${mark} = ${lineOf(statement)}; `);
      insert(statement.getEnd(), ' }');
    }
  };
  const mayMark = (node: TypeScript.Node): void => {
    if (ts.isReturnStatement(node)) {
      const { expression } = node;
      if (expression && !ts.isIdentifier(expression)) wrap(expression);
      else insert(node.getStart(file), `{ ${mark} ||= ${lineOf(node)}; `), insert(node.getEnd(), ' }');
    } else if (ts.isConditionalExpression(node)) {
      wrap(node.whenTrue);
      wrap(node.whenFalse);
    } else if (ts.isIfStatement(node)) {
      begin(node.thenStatement);
      if (node.elseStatement) begin(node.elseStatement);
    } else if (ts.isCaseOrDefaultClause(node) && node.statements.length > 0)
      insert(node.statements[0].getStart(file), `${mark} = ${lineOf(node.statements[0])}; `);
  };
  const visit = (node: TypeScript.Node, inside: boolean): void => {
    if (inside) mayMark(node);
    if (ts.isArrowFunction(node) && isStrategy(ts, node) && !ts.isBlock(node.body)) wrap(node.body);
    const within = ts.isFunctionLike(node) ? isStrategy(ts, node) : inside;
    ts.forEachChild(node, (child) => visit(child, within));
  };
  visit(file, false);
  return edits;
}

function isStrategy(ts: typeof TypeScript, node: TypeScript.Node): boolean {
  const named = ts.isFunctionDeclaration(node) ? node : ts.isVariableDeclaration(node.parent) ? node.parent : null;
  return named?.name?.getText() === 'strategy';
}

function unusedName(code: string): string {
  let name = 'decidedLine';
  while (code.includes(name)) name += '_';
  return name;
}
