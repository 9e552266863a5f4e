import type * as ts from 'typescript';
import { isNear, nearestFirst } from '../../../common/names';
import { typescript } from '../typescript';

/** Names in a message at most; a longer list helps nobody. */
const MAXIMUM = 40;

/** Returns what TypeScript's message about a cell lacks: the name or value that was meant, and those that would be right. */
export function validAlternatives(
  program: ts.Program,
  { file, start, length, code, messageText }: ts.Diagnostic,
): string {
  if (!file || start === undefined || length === undefined) return '';
  const find = FINDERS[code];
  const node = find && nodeAt(file, start, start + length);
  if (!node) return '';
  const { given, valid, isListed, write } = find(program.getTypeChecker(), node);
  const [nearest] = given === null ? [] : nearestFirst(given, valid);
  const isMeant =
    nearest !== undefined &&
    isNear(given!, nearest) &&
    !/Did you mean/.test(typescript().flattenDiagnosticMessageText(messageText, '\n'));
  const list = isListed && valid.length > 0 && valid.length <= MAXIMUM ? ` Valid: ${valid.map(write).join(', ')}.` : '';
  return `${isMeant ? ` Did you mean '${write(nearest)}'?` : ''}${list}`;
}

/** The name or text at a place, and those that are valid there. */
interface Alternatives {
  given: string | null;
  valid: string[];
  /** True where TypeScript's message does not name them all. */
  isListed: boolean;
  /** Returns one of them as it is written. */
  write(name: string): string;
}

type Finder = (checker: ts.TypeChecker, node: ts.Node) => Alternatives;

/** By the code of the message. */
const FINDERS: Record<number, Finder | undefined> = {
  2353: fieldNames, // An object literal has an unknown field.
  2561: fieldNames, // The same, with a guess.
  2322: literalValues, // A value is not assignable.
  2345: literalValues, // The same, as an argument.
  2820: literalValues, // The same, with a guess.
};

/** The fields that an object literal may have, around the name of one of them. */
function fieldNames(checker: ts.TypeChecker, node: ts.Node): Alternatives {
  const compiler = typescript();
  const literal = compiler.findAncestor(node, compiler.isObjectLiteralExpression);
  const type = literal && checker.getContextualType(literal);
  const types = type?.isUnion() ? type.types : type ? [type] : [];
  const valid = [...new Set(types.flatMap((it) => checker.getPropertiesOfType(it)).map(({ name }) => name))];
  return { given: null, valid, isListed: true, write: (name) => name };
}

/** The literals that a place wants. */
function literalValues(checker: ts.TypeChecker, node: ts.Node): Alternatives {
  const compiler = typescript();
  const { parent } = node;
  const value =
    compiler.isPropertyAssignment(parent) && parent.name === node
      ? parent.initializer
      : compiler.isVariableDeclaration(parent) && parent.name === node
        ? parent.initializer
        : node;
  const type = value && compiler.isExpression(value) ? checker.getContextualType(value) : undefined;
  const literals = (type?.isUnion() ? type.types : type ? [type] : []).filter(
    (it) => it.isStringLiteral() || it.isNumberLiteral(),
  );
  const written = new Map(
    literals.map((it) => [String((it as ts.LiteralType).value), JSON.stringify((it as ts.LiteralType).value)]),
  );
  const given = value && compiler.isStringLiteralLike(value) ? value.text : null;
  return { given, valid: [...written.keys()], isListed: type?.isUnion() ?? false, write: (name) => written.get(name)! };
}

/** The innermost node from `start` to `end`. */
function nodeAt(file: ts.SourceFile, start: number, end: number): ts.Node | undefined {
  const search = (node: ts.Node): ts.Node | undefined => {
    if (node.getStart(file) > start || node.end < end) return undefined;
    return typescript().forEachChild(node, search) ?? node;
  };
  return typescript().forEachChild(file, search);
}
