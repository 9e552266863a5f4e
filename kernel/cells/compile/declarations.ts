import type * as ts from '@tslab/typescript-for-tslab';
import { typescript } from './typescript';

/** Names that a statement declares at its own level; destructuring included. */
export function declaredNames(statement: ts.Statement): string[] {
  const compiler = typescript();
  if (compiler.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap((declaration) => bindingNames(declaration.name));
  }
  if (compiler.isImportDeclaration(statement)) return importNames(statement);
  const name = (statement as ts.Statement & { name?: ts.Node }).name;
  return name && compiler.isIdentifier(name) ? [name.text] : [];
}

/** Whether a cell ends with an assignment: what is assigned is kept, and not shown. */
export function endsWithAssignment(code: string): boolean {
  const compiler = typescript();
  const last = parse(code).statements.at(-1);
  if (!last || !compiler.isExpressionStatement(last)) return false;
  let expression: ts.Expression = last.expression;
  while (compiler.isParenthesizedExpression(expression)) expression = expression.expression;
  if (!compiler.isBinaryExpression(expression)) return false;
  const { kind } = expression.operatorToken;
  return kind >= compiler.SyntaxKind.FirstAssignment && kind <= compiler.SyntaxKind.LastAssignment;
}

/** The statements of a text, with parents set. */
export function parse(text: string): ts.SourceFile {
  const compiler = typescript();
  return compiler.createSourceFile('cell.ts', text, compiler.ScriptTarget.Latest, true);
}

/**
 * Declarations after a cell that failed: the new ones that hold (types, and
 * variables that were assigned), then the old ones that none of them replaces.
 */
export function mergeDeclarations(before: string, after: string, isAssigned: (name: string) => boolean): string {
  const compiler = typescript();
  const isType = (node: ts.Node) => compiler.isInterfaceDeclaration(node) || compiler.isTypeAliasDeclaration(node);
  const kept = parse(after).statements.filter((node) => isType(node) || declaredNames(node).some(isAssigned));
  const replaced = new Set(kept.flatMap(declaredNames));
  const old = parse(before).statements.filter((node) => !declaredNames(node).some((name) => replaced.has(name)));
  return [...old, ...kept].map((node) => node.getFullText()).join('\n');
}

function bindingNames(name: ts.BindingName): string[] {
  const compiler = typescript();
  if (compiler.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (compiler.isBindingElement(element) ? bindingNames(element.name) : []));
}

function importNames({ importClause }: ts.ImportDeclaration): string[] {
  const compiler = typescript();
  if (!importClause) return [];
  const names = importClause.name ? [importClause.name.text] : [];
  const bindings = importClause.namedBindings;
  if (!bindings) return names;
  if (compiler.isNamespaceImport(bindings)) return [...names, bindings.name.text];
  return [...names, ...bindings.elements.map((element) => element.name.text)];
}
