import { browserTypes } from '../browserCode';
import { CellFailure } from '../errors';
import { readArguments, type ArgumentProblem } from './arguments';
import { joylabImport, wholeJoylabImport } from './autoImport';
import { onlyDeclares, outline, type CellOutline, type LeadingComment, type Tag } from './comments';
import type { Arguments, Directive, DirectiveCell } from './directive';
import { directives } from './registry';
import { JSDOC_TAGS } from './tags';
import { nameDistance } from '../../common/names';
import type { NotebookProgram } from '../compile/program/notebook';
import type { Variables } from '../variables';

/** A cell that is ready to be compiled, with its directives. */
export interface PreparedCell {
  /** Lines to put before the first one. They are lines of their own, so that a comment still documents what follows it. */
  preamble: string;
  /** Applies the directives, after the cell has run. */
  apply(label: string, variables: Variables, notebook: NotebookProgram): Promise<void>;
}

interface Use {
  directive: Directive;
  args: Arguments;
  comment: LeadingComment;
}

/**
 * Returns a cell with its directives.
 *
 * @param declared names that earlier cells have declared
 * @throws CellFailure for an unknown directive or argument, with the valid ones
 */
export function prepareDirectives(code: string, declared: ReadonlySet<string>): PreparedCell {
  const plain: PreparedCell = { preamble: browserTypes(code), apply: async () => {} };
  if (!code.includes('/**')) return plain;
  const cell = outline(code);
  const uses = cell.comments.flatMap((comment, index) => readComment(comment, index === 0, code));
  if (uses.length === 0) return plain;
  return {
    preamble: plain.preamble + joylabImport(cell.file, declared) + givenVariables(uses, cell),
    async apply(label, variables, notebook) {
      for (const [i, use] of uses.entries()) {
        await applyUse(use, uses, cell, { label, variables, notebook });
        if (!uses.slice(i + 1).some(({ directive }) => directive === use.directive)) await use.directive.finish?.();
      }
    },
  };
}

/**
 * Returns whether a cell only declares something, with directives that say that such
 * cells may run while a model trains.
 */
export function runsBeside(code: string): boolean {
  if (!code.includes('/**')) return false;
  const { comments, file } = outline(code);
  const used = comments.flatMap(({ tags }) => tags.flatMap(({ name }) => directives.get(name) ?? []));
  return used.length > 0 && used.every((directive) => directive.runsBeside) && onlyDeclares(file);
}

/** Returns declarations of the variables that directives give the notebook, each on a line. */
function givenVariables(uses: Use[], { declared }: CellOutline): string {
  const given = uses.flatMap(({ directive, args, comment }) =>
    Object.entries(directive.gives?.(args, comment.target, declared) ?? {}),
  );
  return given.map(([name, type]) => `var ${name}: ${type};\n`).join('');
}

/** Returns the preamble for completion and inspection; see {@link PreparedCell}. */
export function assistPreamble(code: string, declared: ReadonlySet<string>): string {
  const types = browserTypes(code);
  if (!code.includes('/**')) return types;
  const cell = outline(code);
  const isDirective = cell.comments.some(({ tags }) => tags.some(({ name }) => directives.has(name)));
  return isDirective ? types + wholeJoylabImport(cell.file, declared) : types;
}

function applyUse(
  { directive, args, comment }: Use,
  uses: Use[],
  { declared }: CellOutline,
  cell: Pick<DirectiveCell, 'label' | 'variables' | 'notebook'>,
): Promise<void> {
  const repeated = uses.filter((use) => use.directive === directive).length > 1;
  return directive.apply({
    ...cell,
    args,
    target: comment.target,
    description: comment.description,
    declared,
    repeated,
  });
}

function readComment(comment: LeadingComment, first: boolean, code: string): Use[] {
  return comment.tags.flatMap((tag) => {
    const directive = directives.get(tag.name);
    if (directive) return [{ directive, args: readTagArguments(directive, tag, code), comment }];
    if (isMistake(tag, comment, first)) throw failure(code, tag.start, tag.name.length, unknown(tag.name));
    return [];
  });
}

function readTagArguments(directive: Directive, tag: Tag, code: string): Arguments {
  try {
    return readArguments(directive, tag.text);
  } catch (problem) {
    const { message, start, length } = problem as ArgumentProblem;
    throw failure(code, tag.textStart + start, length, message);
  }
}

/** Returns whether a tag that is not a directive is a misspelt one: it is not JSDoc's, and similar to one, or the first thing in the cell. */
function isMistake(tag: Tag, comment: LeadingComment, first: boolean): boolean {
  if (JSDOC_TAGS.has(tag.name)) return false;
  if (first && comment.description === '' && tag === comment.tags[0]) return true;
  return [...directives.keys()].some((name) => nameDistance(name, tag.name) <= 2);
}

function unknown(name: string): string {
  const nearest = [...directives.keys()].find((it) => nameDistance(it, name) <= 2);
  const valid = [...directives.keys()].map((it) => `@${it}`).join(', ');
  return `There is no directive @${name}.${nearest ? ` Did you mean @${nearest}?` : ''} Valid: ${valid}.`;
}

function failure(code: string, offset: number, length: number, message: string): CellFailure {
  const before = code.slice(0, offset).split('\n');
  return new CellFailure('DirectiveError', message, { line: before.length, column: before.at(-1)!.length + 1, length });
}
