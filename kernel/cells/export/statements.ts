import type * as ts from 'typescript';
import { declaredNames, parse } from '../compile/declarations';
import { typescript } from '../compile/typescript';

/** A statement of a cell's top level, and what it has to do with names. */
export interface CellStatement {
  text: string;
  declares: string[];
  /** Names that it gives another value when it runs. */
  assigns: string[];
  /** Names of which it calls a method, or sets a property, when it runs: `rows.push(row)`. */
  changes: string[];
  uses: Set<string>;
}

/** The statements of a cell with the comments before them. */
export function statementsOf(source: string): CellStatement[] {
  const file = parse(source);
  return file.statements.map((statement) => ({
    text: source.slice(statement.getFullStart(), statement.end).trim(),
    declares: declaredNames(statement),
    ...effects(statement),
    uses: identifiers(statement),
  }));
}

function effects(statement: ts.Statement): Pick<CellStatement, 'assigns' | 'changes'> {
  const compiler = typescript();
  const [assigns, changes]: string[][] = [[], []];
  const visit = (node: ts.Node): void => {
    // What a function does is done where it is called.
    if (compiler.isFunctionLike(node) || compiler.isClassLike(node)) return;
    if (compiler.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) {
      if (compiler.isPropertyAccessExpression(node.left) || compiler.isElementAccessExpression(node.left))
        changes.push(...rootOf(node.left));
      else assigns.push(...identifiers(node.left));
    }
    if (compiler.isCallExpression(node) && compiler.isPropertyAccessExpression(node.expression))
      changes.push(...rootOf(node.expression));
    compiler.forEachChild(node, visit);
  };
  visit(statement);
  return { assigns, changes };
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  const { SyntaxKind } = typescript();
  return kind >= SyntaxKind.FirstAssignment && kind <= SyntaxKind.LastAssignment;
}

/** The name that a chain of properties begins with: `rows` of `rows[0].text`. */
function rootOf(node: ts.Expression): string[] {
  const compiler = typescript();
  let root = node;
  while (
    compiler.isPropertyAccessExpression(root) ||
    compiler.isElementAccessExpression(root) ||
    compiler.isNonNullExpression(root)
  )
    root = root.expression;
  return compiler.isIdentifier(root) ? [root.text] : [];
}

/** Identifiers in a node whose declarations are outside of it, apart from names of properties. */
function identifiers(node: ts.Node): Set<string> {
  const compiler = typescript();
  const names = new Set<string>();
  compiler.forEachChild(node, (child) => {
    for (const name of identifiers(child)) names.add(name);
  });
  if (compiler.isIdentifier(node) && !isPropertyName(node)) names.add(node.text);
  for (const name of boundIn(node)) names.delete(name);
  return names;
}

/** Names that a node declares for what is inside of it: parameters, variables of a block or a loop. */
function boundIn(node: ts.Node): ReadonlySet<string> {
  const compiler = typescript();
  if (compiler.isFunctionLike(node)) return new Set(node.parameters.flatMap(({ name }) => namesOf(name)));
  if (compiler.isBlock(node)) return new Set(node.statements.flatMap(declaredNames));
  if (compiler.isForStatement(node) || compiler.isForOfStatement(node) || compiler.isForInStatement(node)) {
    const { initializer } = node;
    return new Set(
      initializer && compiler.isVariableDeclarationList(initializer)
        ? initializer.declarations.flatMap(({ name }) => namesOf(name))
        : [],
    );
  }
  if (compiler.isCatchClause(node))
    return new Set(node.variableDeclaration ? namesOf(node.variableDeclaration.name) : []);
  return new Set();
}

function namesOf(name: ts.Node): string[] {
  const compiler = typescript();
  if (compiler.isIdentifier(name)) return [name.text];
  if (!compiler.isObjectBindingPattern(name) && !compiler.isArrayBindingPattern(name)) return [];
  return name.elements.flatMap((element) => (compiler.isBindingElement(element) ? namesOf(element.name) : []));
}

function isPropertyName(node: ts.Identifier): boolean {
  const compiler = typescript();
  const { parent } = node;
  if (compiler.isPropertyAccessExpression(parent) || compiler.isPropertyAssignment(parent)) return parent.name === node;
  if (compiler.isBindingElement(parent)) return parent.propertyName === node;
  return compiler.isQualifiedName(parent) && parent.right === node;
}
