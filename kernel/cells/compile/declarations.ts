import type * as ts from 'typescript';
import { syntaxErrors } from '../patches/typescript';
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

/** The statements of a text, with parents set. */
export function parse(text: string): ts.SourceFile {
  const compiler = typescript();
  return compiler.createSourceFile('cell.ts', text, compiler.ScriptTarget.Latest, true);
}

/** Returns whether a position is inside a comment, or in the text of a string, template or regular expression. */
export function isInText(text: string, position: number): boolean {
  const compiler = typescript();
  const file = parse(text);
  let node: ts.Node = file;
  for (
    let inner: ts.Node | undefined = node;
    inner;
    inner = node.getChildren(file).find(({ pos, end }) => pos < position && position <= end)
  )
    node = inner;
  if (position <= node.getStart(file)) {
    const comments = [
      ...(compiler.getTrailingCommentRanges(text, node.pos) ?? []),
      ...(compiler.getLeadingCommentRanges(text, node.pos) ?? []),
    ];
    return comments.some(
      ({ pos, end }) =>
        pos < position && (position < end || (position === end && !/^\/\*[^]*\*\/$/.test(text.slice(pos, end)))),
    );
  }
  const isLiteral =
    compiler.isStringLiteralLike(node) ||
    compiler.isRegularExpressionLiteral(node) ||
    compiler.isTemplateHead(node) ||
    compiler.isTemplateMiddleOrTemplateTail(node);
  return isLiteral && (position < node.end || (node as ts.LiteralLikeNode).isUnterminated === true);
}

/** Returns whether a text is an object literal that TypeScript would take for a block: `{ a: 1, b: 2 }`. */
export function isObjectLiteral(text: string): boolean {
  if (!/^\s*\{[^]*\}\s*$/.test(text)) return false;
  const compiler = typescript();
  const file = parse(`(${text}\n)`);
  const [statement, ...more] = file.statements;
  if (syntaxErrors(file).length > 0 || more.length > 0 || !compiler.isExpressionStatement(statement)) return false;
  return (
    compiler.isParenthesizedExpression(statement.expression) &&
    compiler.isObjectLiteralExpression(statement.expression.expression)
  );
}

export function bindingNames(name: ts.BindingName): string[] {
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
