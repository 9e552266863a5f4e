import type * as TypeScript from 'typescript';
import { typescript, type SyntaxProblem } from './compile';

const REACH = 'a strategy sees only its arguments';
const CLOCK = 'a strategy has no clock: time is what the state says';
const LATER = 'a strategy answers at once: nothing can run later';
const TEXT = 'making code from text';

/** Names that a strategy must not use, unless it declares them itself. */
const FORBIDDEN_NAMES = new Map<string, string>([
  ...names('require module exports', 'loading a module'),
  ...names('process global globalThis window self document Buffer Deno Bun __dirname __filename', REACH),
  ...names('eval Function', TEXT),
  ...names('fetch XMLHttpRequest WebSocket EventSource', 'using the network'),
  ...names('Worker SharedArrayBuffer Atomics WebAssembly', 'using threads or shared memory'),
  ...names('Reflect Proxy', 'reaching behind objects'),
  ...names('Date performance', CLOCK),
  ...names('Promise setTimeout setInterval setImmediate queueMicrotask', LATER),
]);

/** Properties that lead to the constructors and prototypes that all objects share. */
const FORBIDDEN_PROPERTIES = new Set([
  'constructor',
  'prototype',
  '__proto__',
  'setPrototypeOf',
  '__defineGetter__',
  '__defineSetter__',
]);

function names(list: string, reason: string): Array<[string, string]> {
  return list.split(' ').map((name) => [name, reason]);
}

/** Findings in the tree of a source: constructs that a strategy must not use, and whether it declares `strategy`. */
export interface Constructs {
  forbidden: SyntaxProblem[];
  declaresStrategy: boolean;
}

/** Returns the findings in the tree of a source. Throws a RangeError when it is nested too deeply. */
export function constructsOf(code: string): Constructs {
  const ts = typescript();
  const file = ts.createSourceFile('strategy.ts', code, ts.ScriptTarget.ES2022, true);
  return { forbidden: forbiddenConstructs(file), declaresStrategy: declaresStrategy(file) };
}

/** Returns whether a top-level statement declares `strategy`. */
function declaresStrategy(file: TypeScript.SourceFile): boolean {
  const ts = typescript();
  return file.statements.some((statement) => {
    if (ts.isFunctionDeclaration(statement)) return statement.name?.text === 'strategy' && statement.body !== undefined;
    if (!ts.isVariableStatement(statement)) return false;
    return statement.declarationList.declarations.some(({ name }) => ts.isIdentifier(name) && name.text === 'strategy');
  });
}

function forbiddenConstructs(file: TypeScript.SourceFile): SyntaxProblem[] {
  const ts = typescript();
  const declared = declaredNames(file);
  const problems: SyntaxProblem[] = [];
  const visit = (node: TypeScript.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    const reason = whyForbidden(node, declared);
    if (reason) {
      const at = file.getLineAndCharacterOfPosition(node.getStart(file));
      problems.push({ line: at.line + 1, column: at.character + 1, reason });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return problems;
}

function whyForbidden(node: TypeScript.Node, declared: Set<string>): string | undefined {
  const ts = typescript();
  switch (node.kind) {
    case ts.SyntaxKind.ImportDeclaration:
    case ts.SyntaxKind.ImportEqualsDeclaration:
    case ts.SyntaxKind.ImportKeyword:
      return '"import": loading a module';
    case ts.SyntaxKind.MetaProperty:
      return (node as TypeScript.MetaProperty).keywordToken === ts.SyntaxKind.ImportKeyword
        ? `"import.meta": ${REACH}`
        : undefined;
    case ts.SyntaxKind.ExportKeyword:
    case ts.SyntaxKind.ExportDeclaration:
    case ts.SyntaxKind.ExportAssignment:
      return '"export": a strategy is a script, not a module';
    case ts.SyntaxKind.AsyncKeyword:
      return `"async": ${LATER}`;
    case ts.SyntaxKind.AwaitKeyword:
    case ts.SyntaxKind.AwaitExpression:
      return `"await": ${LATER}`;
    case ts.SyntaxKind.WithStatement:
      return '"with": reaching behind objects';
  }
  const property = propertyName(node);
  if (property !== undefined && FORBIDDEN_PROPERTIES.has(property)) return `"${property}": reaching behind objects`;
  if (ts.isIdentifier(node) && isReference(node) && !declared.has(node.text)) {
    const reason = FORBIDDEN_NAMES.get(node.text);
    if (reason) return `"${node.text}": ${reason}`;
  }
  return undefined;
}

/** Returns the property that an expression or a destructuring pattern reads; `undefined` where it is computed. */
function propertyName(node: TypeScript.Node): string | undefined {
  const ts = typescript();
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression))
    return node.argumentExpression.text;
  if (ts.isBindingElement(node)) {
    const name = node.propertyName ?? node.name;
    if (ts.isIdentifier(name) || ts.isStringLiteralLike(name)) {
      return ts.isArrayBindingPattern(node.parent) ? undefined : name.text;
    }
  }
  return undefined;
}

/** Returns whether an identifier reads or writes a variable, and is not the name of a property or a label. */
function isReference(node: TypeScript.Identifier): boolean {
  const ts = typescript();
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isMetaProperty(parent)) return parent.name !== node;
  if (ts.isBindingElement(parent)) return parent.propertyName !== node;
  if (
    ts.isPropertyAssignment(parent) ||
    ts.isEnumMember(parent) ||
    ts.isClassElement(parent) ||
    ts.isMethodDeclaration(parent)
  ) {
    return parent.name !== node;
  }
  return !ts.isLabeledStatement(parent) && !ts.isBreakOrContinueStatement(parent);
}

/** Returns the names that the code declares, in any scope. */
function declaredNames(file: TypeScript.SourceFile): Set<string> {
  const ts = typescript();
  const declared = new Set<string>();
  const visit = (node: TypeScript.Node): void => {
    const declares =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isFunctionExpression(node) ||
      ts.isClassDeclaration(node) ||
      ts.isClassExpression(node) ||
      ts.isEnumDeclaration(node);
    if (declares && node.name && ts.isIdentifier(node.name)) declared.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return declared;
}
