import type { DiffLine } from '../../display/diff';
import type { ProgramDatabase } from './database';
import type { Program } from './program';

/** A program among its ancestors: how it came from the one before. */
export interface LineageEntry {
  program: Program;
  /** Its expected fitness; `null` where it does not live any more. */
  worth: number | null;
  /** The edit, line by line; of the first one, which has no parent, the lines as they are. */
  edit: DiffLine[];
}

/** A program and its ancestors, the eldest first. */
export function lineageOf(database: ProgramDatabase, id: number): LineageEntry[] {
  const chain: Program[] = [];
  for (
    let program = database.get(id);
    program;
    program = program.parent === null ? undefined : database.get(program.parent)
  )
    chain.unshift(program);
  return chain.map((program, i) => ({
    program,
    worth: program.evaluations.length > 0 && database.lives(program.id) ? database.worth(program) : null,
    edit: lineDiff(chain[Math.max(0, i - 1)].code, program.code),
  }));
}

/** The lines of two texts as one list: kept, removed, added; as few as possible are changed. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const [old, now] = [before, after].map((text) => (text === '' ? [] : text.split('\n')));
  // Lengths of the longest common subsequences of what comes behind.
  const common = Array.from({ length: old.length + 1 }, () => new Array<number>(now.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--)
      common[i][j] = old[i] === now[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ kind: 'kept', text: old[i++] });
      j++;
    } else if (i < old.length && (j === now.length || common[i + 1][j] >= common[i][j + 1]))
      lines.push({ kind: 'removed', text: old[i++] });
    else lines.push({ kind: 'added', text: now[j++] });
  }
  return lines;
}
