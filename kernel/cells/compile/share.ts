import type * as ts from '@tslab/typescript-for-tslab';
import type { TypeScript } from './typescript';

/** A module whose variables are shared with later cells, and where its columns moved. */
export interface SharedModule {
  text: string;
  /** Columns by which a line (counted from 0) is shifted to the right. */
  shifts: Map<number, number>;
}

const EXPORT = 'export ';

/**
 * Cells share variables through `exports`. A function keeps seeing its own
 * cell's `let`, whatever later cells assign to the name, unless that `let` is
 * exported where it is declared: this does so for variables that functions of
 * the cell use. A variable without a value gets `undefined`, so that running
 * its cell again empties it for later cells, too.
 *
 * @param module JavaScript as tslab emits it: `export { … }` at the end names
 * everything that the cell declares
 */
export function shareVariables(compiler: TypeScript, module: string): SharedModule {
  const file = compiler.createSourceFile('cell.mjs', module, compiler.ScriptTarget.Latest, true);
  const variables = file.statements.filter((node): node is ts.VariableStatement => isLet(compiler, node));
  if (variables.length === 0) return { text: module, shifts: new Map() };
  const edits: Edit[] = variables.flatMap((node) => initialise(compiler, node));
  const captured = capturedNames(compiler, file);
  const shared = variables.filter((node) => namesOf(compiler, node).some((name) => captured.has(name)));
  const shifts = new Map<number, number>();
  for (const node of shared) {
    edits.push({ start: node.getStart(file), end: node.getStart(file), text: EXPORT });
    shifts.set(file.getLineAndCharacterOfPosition(node.getStart(file)).line, EXPORT.length);
  }
  const names = new Set(shared.flatMap((node) => namesOf(compiler, node)));
  for (const node of file.statements) {
    if (!compiler.isExportDeclaration(node) || !node.exportClause || !compiler.isNamedExports(node.exportClause)) continue;
    const kept = node.exportClause.elements.filter((element) => !names.has(element.name.text)).map((element) => element.getText(file));
    edits.push({ start: node.getStart(file), end: node.getEnd(), text: `export { ${kept.join(', ')} };` });
  }
  return { text: apply(module, edits), shifts };
}

interface Edit {
  start: number;
  end: number;
  text: string;
}

function apply(text: string, edits: Edit[]): string {
  let result = text;
  for (const { start, end, text: insert } of edits.sort((a, b) => b.start - a.start)) {
    result = result.slice(0, start) + insert + result.slice(end);
  }
  return result;
}

function isLet(compiler: TypeScript, node: ts.Statement): boolean {
  return compiler.isVariableStatement(node) && !node.modifiers && !(node.declarationList.flags & compiler.NodeFlags.Const);
}

function initialise(compiler: TypeScript, node: ts.VariableStatement): Edit[] {
  return node.declarationList.declarations
    .filter(({ name, initializer }) => !initializer && compiler.isIdentifier(name))
    .map(({ name }) => ({ start: name.getEnd(), end: name.getEnd(), text: ' = void 0' }));
}

function namesOf(compiler: TypeScript, node: ts.VariableStatement): string[] {
  const names = (name: ts.BindingName): string[] =>
    compiler.isIdentifier(name) ? [name.text] : name.elements.flatMap((it) => (compiler.isBindingElement(it) ? names(it.name) : []));
  return node.declarationList.declarations.flatMap(({ name }) => names(name));
}

/** Identifiers inside functions and classes: more than what they capture, which does no harm. */
function capturedNames(compiler: TypeScript, file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node, inside: boolean): void => {
    if (inside && compiler.isIdentifier(node)) names.add(node.text);
    const within = inside || compiler.isFunctionLike(node) || compiler.isClassLike(node);
    compiler.forEachChild(node, (child) => visit(child, within));
  };
  visit(file, false);
  return names;
}
