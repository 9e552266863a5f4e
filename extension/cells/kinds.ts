/** The directives that give a cell its kind. */
export type CellKind = 'openenv' | 'reward' | 'grpo';

/** What comments may be mistaken for, and comments: these alone begin with a slash. */
const PIECES = /\/\/.*|\/\*[^]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[^]|[^`\\])*`/g;

/** A tag at the beginning of a line of documentation. */
const TAG = /(?:^|\n)[ \t]*\**[ \t]*@(openenv|reward|grpo)\b/g;

/**
 * Returns the kinds of a code cell, each once, in the order of its directives.
 *
 * #### Notes
 * The kernel parses cells with TypeScript, which is too large to load here. Taken for
 * the comment of a top-level statement is one that nothing but comments precede, or
 * one that is not indented.
 */
export function cellKinds(source: string): CellKind[] {
  const kinds = new Set<CellKind>();
  let leading = 0;
  for (const { 0: piece, index } of source.matchAll(PIECES)) {
    const isFirst = source.slice(leading, index).trim() === '';
    if (isFirst && piece.startsWith('/')) leading = index + piece.length;
    if (!piece.startsWith('/**') || !(isFirst || index === 0 || source[index - 1] === '\n')) continue;
    for (const [, name] of piece.slice(3, -2).matchAll(TAG)) kinds.add(name as CellKind);
  }
  return [...kinds];
}
