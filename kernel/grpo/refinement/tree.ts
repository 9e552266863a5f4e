import { mean } from '../../common/statistics';
import type { MimeBundle } from '../../display/cellContext';
import { lineDiff } from '../../display/training/diff';
import { programTreeBundle, type EditGains } from '../../display/training/programTree';
import type { ProgramDatabase } from './database';
import { fitnessOf, type Program } from './program';

/** The programs of a run with their ancestors. It is displayed as a tree, with the way to the best one and the gains of each kind of edit. */
export class ProgramTree {
  /** @param best ID of the best program */
  constructor(
    private readonly database: ProgramDatabase,
    private readonly best: number,
  ) {}

  /** The programs of the archive and their ancestors, by ID. */
  get programs(): Program[] {
    const all = new Map<number, Program>();
    for (const program of this.database.programs()) {
      for (let one: Program | undefined = program; one && !all.has(one.id); one = this.parentOf(one))
        all.set(one.id, one);
    }
    return [...all.values()].sort((a, b) => a.id - b.id);
  }

  /** What each kind of edit has gained, the most frequent first. */
  get edits(): EditGains[] {
    const gains = new Map<string, number[]>();
    for (const program of this.programs) {
      const parent = this.parentOf(program);
      if (!parent || program.gain === null) continue;
      const kind = editKind(parent.code, program.code);
      gains.set(kind, [...(gains.get(kind) ?? []), program.gain]);
    }
    return [...gains]
      .map(([kind, all]) => ({
        kind,
        count: all.length,
        better: all.filter((gain) => gain > 0).length / all.length,
        meanGain: mean(all),
      }))
      .sort((a, b) => b.count - a.count);
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    const path = new Set<number>();
    for (let one = this.database.get(this.best); one; one = this.parentOf(one)) path.add(one.id);
    const { programs } = this;
    const worths = new Map<number, number>();
    for (const program of programs) worths.set(program.id, this.worthOf(program, worths));
    return programTreeBundle(
      `${programs.length} programs and ancestors; the way to program ${this.best} is marked`,
      programs.map((program) => ({
        id: program.id,
        parent: program.parent,
        step: program.generation + 1,
        worth: worths.get(program.id)!,
        onPath: path.has(program.id),
      })),
      this.edits,
    );
  }

  /** Returns the worth of a program; of one that has left the archive what its episodes, or its gain, said. */
  private worthOf(program: Program, known: ReadonlyMap<number, number>): number {
    const { database } = this;
    if (program.evaluations.length > 0)
      return database.has(program.id) ? database.worth(program) : mean(fitnessOf(program));
    return (known.get(program.parent ?? -1) ?? 0) + (program.gain ?? 0);
  }

  private parentOf({ parent }: Program): Program | undefined {
    return parent === null ? undefined : this.database.get(parent);
  }
}

/** Returns what an edit does, in words. */
export function editKind(before: string, after: string): string {
  const diff = lineDiff(before, after);
  const lines = (kind: 'removed' | 'added'): string[] =>
    diff.filter((line) => line.kind === kind).map(({ text }) => text.trim());
  const [removed, added] = [lines('removed'), lines('added')];
  const withoutNumbers = (texts: string[]): string =>
    texts.map((text) => text.replace(/-?\d+(\.\d+)?/g, '#')).join('\n');
  if (removed.length === 0) return 'lines added';
  if (added.length === 0) return 'lines removed';
  return withoutNumbers(removed) === withoutNumbers(added) ? 'numbers changed' : 'lines changed';
}
