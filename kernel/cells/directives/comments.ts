import type * as ts from 'typescript';
import { awaits } from '../compile/await';
import { parse } from '../compile/declarations';
import { typescript } from '../compile/typescript';
import { parseDocumentation } from '../patches/typescript';
import type { Declared } from './directive';

/** A tag of a leading comment. */
export interface Tag {
  name: string;
  /** The text after the name, on one line. */
  text: string;
  /** Offset of the name in the cell. */
  start: number;
  /** Offset of the text in the cell. */
  textStart: number;
}

/** A `/** … *\/` comment before a statement of the cell's top level. */
export interface LeadingComment {
  /** The text before the first tag. */
  description: string;
  tags: Tag[];
  start: number;
  /** The declarations of the statement after the comment. */
  target: Declared[];
}

/** The leading comments and the declarations of a cell's top level. */
export interface CellOutline {
  comments: LeadingComment[];
  declared: Declared[];
  file: ts.SourceFile;
}

/** Returns the outline of a cell. */
export function outline(code: string): CellOutline {
  const file = parse(code);
  const statements = [...file.statements, file.endOfFileToken];
  const comments = statements.flatMap((statement) => leadingComments(code, statement, file));
  return { comments, declared: file.statements.flatMap((statement) => declarations(statement, file)), file };
}

/** Returns whether a cell has nothing but declarations, and awaits nothing; also one with errors of syntax. */
export function onlyDeclares(file: ts.SourceFile): boolean {
  const compiler = typescript();
  return file.statements.every(
    (statement) =>
      compiler.isFunctionDeclaration(statement) ||
      compiler.isClassDeclaration(statement) ||
      compiler.isInterfaceDeclaration(statement) ||
      compiler.isTypeAliasDeclaration(statement) ||
      compiler.isEnumDeclaration(statement) ||
      compiler.isImportDeclaration(statement) ||
      compiler.isEmptyStatement(statement) ||
      (compiler.isVariableStatement(statement) && !awaits(statement)),
  );
}

function leadingComments(code: string, statement: ts.Node, file: ts.SourceFile): LeadingComment[] {
  const compiler = typescript();
  const ranges = compiler.getLeadingCommentRanges(code, statement.getFullStart()) ?? [];
  return ranges.flatMap(({ pos, end }) => {
    const comment = code.slice(pos, end);
    const parsed = comment.startsWith('/**') && parseDocumentation(comment);
    if (!parsed) return [];
    const tags = (parsed.tags ?? []).map((tag) => readTag(tag, comment, pos));
    const firstTag = tags[0]?.start ?? end;
    const description = code
      .slice(pos + 3, firstTag - 1)
      .replace(/\*\/$/, '')
      .replace(/^\s*\*?/gm, '')
      .trim();
    return [{ description, tags, start: pos, target: declarations(statement, file) }];
  });
}

function readTag(tag: ts.JSDocTag, comment: string, offset: number): Tag {
  const { pos, end } = tag.tagName;
  const raw = comment.slice(end, tag.end).replace(/\*\/$/, '');
  const text = raw.replace(/\n\s*\*?/g, ' ').trim();
  return {
    name: comment.slice(pos, end),
    text,
    start: offset + pos,
    textStart: offset + end + (raw.length - raw.trimStart().length),
  };
}

function isDerived({ heritageClauses, modifiers }: ts.ClassDeclaration): boolean {
  const { SyntaxKind } = typescript();
  const isAbstract = modifiers?.some(({ kind }) => kind === SyntaxKind.AbstractKeyword) ?? false;
  return !isAbstract && (heritageClauses?.some(({ token }) => token === SyntaxKind.ExtendsKeyword) ?? false);
}

function declarations(node: ts.Node, file: ts.SourceFile): Declared[] {
  const compiler = typescript();
  const lineOf = (part: ts.Node) => file.getLineAndCharacterOfPosition(part.getStart(file)).line + 1;
  const line = lineOf(node);
  if (compiler.isFunctionDeclaration(node) && node.name) return [{ name: node.name.text, kind: 'function', line }];
  if (compiler.isClassDeclaration(node) && node.name)
    return [{ name: node.name.text, kind: 'class', derived: isDerived(node), line }];
  if (!compiler.isVariableStatement(node)) return [];
  const kind = node.declarationList.flags & compiler.NodeFlags.Const ? 'const' : 'variable';
  const names = (name: ts.BindingName): Declared[] =>
    compiler.isIdentifier(name)
      ? [{ name: name.text, kind, line: lineOf(name) }]
      : name.elements.flatMap((it) => (compiler.isBindingElement(it) ? names(it.name) : []));
  return node.declarationList.declarations.flatMap(({ name }) => names(name));
}
