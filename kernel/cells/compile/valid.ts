import type * as ts from 'typescript';
import { typescript } from './typescript';

/** Names that are told at most; a longer list helps nobody. */
const MAXIMUM = 40;

/** What TypeScript's message about a cell leaves out: the names or values that would be right; else nothing. */
export function validAlternatives(program: ts.Program, { file, start, length, code }: ts.Diagnostic): string {
  if (!file || start === undefined || length === undefined) return '';
  const find = FINDERS[code];
  const node = find && nodeAt(file, start, start + length);
  const found = node ? find(program.getTypeChecker(), node) : [];
  return found.length > 0 && found.length <= MAXIMUM ? ` Valid: ${found.join(', ')}.` : '';
}

type Finder = (checker: ts.TypeChecker, node: ts.Node) => string[];

/** By the code of the message. */
const FINDERS: Record<number, Finder | undefined> = {
  2353: fieldNames, // An object literal has an unknown field.
  2561: fieldNames, // The same, with a guess.
  2322: literalValues, // A value is not assignable.
  2345: literalValues, // The same, as an argument.
  2820: literalValues, // The same, with a guess.
};

/** The fields that an object literal may have, around the name of one of them. */
function fieldNames(checker: ts.TypeChecker, node: ts.Node): string[] {
  const compiler = typescript();
  const literal = compiler.findAncestor(node, compiler.isObjectLiteralExpression);
  const type = literal && checker.getContextualType(literal);
  const types = type?.isUnion() ? type.types : type ? [type] : [];
  return [...new Set(types.flatMap((it) => checker.getPropertiesOfType(it)).map(({ name }) => name))];
}

/** The values of a union of literals that a place wants. */
function literalValues(checker: ts.TypeChecker, node: ts.Node): string[] {
  const compiler = typescript();
  const { parent } = node;
  const value = compiler.isPropertyAssignment(parent) && parent.name === node ? parent.initializer
    : compiler.isVariableDeclaration(parent) && parent.name === node ? parent.initializer
    : node;
  const type = value && compiler.isExpression(value) ? checker.getContextualType(value) : undefined;
  if (!type?.isUnion()) return [];
  const literals = type.types.filter((it) => it.isStringLiteral() || it.isNumberLiteral());
  return literals.map((it) => JSON.stringify((it as ts.LiteralType).value));
}

/** The innermost node from `start` to `end`. */
function nodeAt(file: ts.SourceFile, start: number, end: number): ts.Node | undefined {
  const search = (node: ts.Node): ts.Node | undefined => {
    if (node.getStart(file) > start || node.end < end) return undefined;
    return typescript().forEachChild(node, search) ?? node;
  };
  return typescript().forEachChild(file, search);
}
