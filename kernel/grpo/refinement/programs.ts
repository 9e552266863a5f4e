import { lineDiff, type DiffLine } from '../../display/training/diff';
import type { MimeBundle } from '../../display/cellContext';
import { lineageBundle, programsBundle, type ShownAncestor } from '../../display/training/lineage';
import { formatNumber } from '../../display/table';
import type { ProgramDatabase } from './database';
import type { Program } from './program';
import type { ProgramSearch } from './search';
import { ProgramTree } from './tree';
import type { Winner } from './validation';

/** A program with its expected fitness. */
export interface RankedProgram extends Program {
  /** Expected fitness: the weighted sum of the reward functions. */
  worth: number;
}

/** A program and its ancestors, the oldest first. It is displayed as each one's diff to its parent. */
export class Lineage {
  constructor(readonly entries: readonly LineageEntry[]) {}

  [Symbol.for('Jupyter.display')](): MimeBundle {
    const { program } = this.entries.at(-1)!;
    return lineageBundle(`Lineage of program ${program.id}`, this.shown());
  }

  /** Returns the programs as they are shown. */
  shown(): ShownAncestor[] {
    return this.entries.map(({ program, worth, edit }) => ({
      id: program.id,
      step: stepOf(program),
      worth,
      gain: program.gain,
      edit,
    }));
  }
}

/** The programs that a run has found so far, read-only. */
export class Programs {
  constructor(private readonly search: () => ProgramSearch | null) {}

  /** Number of programs in the archive. */
  get size(): number {
    return this.search()?.database.size ?? 0;
  }

  /** The program that the validation at the end of the run has chosen; `null` before. */
  get winner(): Winner | null {
    return this.search()?.winner ?? null;
  }

  /** Returns the winner of the validation, else the program of the highest worth; `null` when there is none. */
  best(): RankedProgram | null {
    return this.ranking(1)[0] ?? null;
  }

  /** Returns the `count` best programs: the winner of the validation first, then by worth. */
  ranking(count = 10): RankedProgram[] {
    const search = this.search();
    return search ? search.best(count).map((program) => ({ ...program, worth: search.database.worth(program) })) : [];
  }

  /**
   * Returns a program with its ancestors.
   *
   * @param id ID of the program; by default the best one's
   * @throws RangeError when there is no program with this ID
   */
  lineage(id = this.best()?.id): Lineage {
    const database = this.search()?.database;
    const entries = database && id !== undefined ? lineageOf(database, id) : [];
    if (entries.length === 0)
      throw new RangeError(
        id === undefined
          ? 'There are no programs yet: train with refinement first.'
          : `There is no program ${id} any more. Those that are kept: trainer.programs.ranking(${this.size}).`,
      );
    return new Lineage(entries);
  }

  /**
   * Returns the programs with their ancestors, as a tree, and what kinds of edits have gained.
   *
   * @throws RangeError when there are no programs
   */
  tree(): ProgramTree {
    const database = this.search()?.database;
    const best = this.best();
    if (!database || !best) throw new RangeError('There are no programs yet: train with refinement first.');
    return new ProgramTree(database, best.id);
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    const { winner } = this;
    const chosen = winner
      ? `; program ${winner.id} was chosen: ${formatNumber(winner.fitness)} over ${winner.starts} validation starts`
      : '';
    const shown = this.ranking().map((program) => ({
      ...program,
      step: stepOf(program),
      episodes: program.evaluations.length,
    }));
    return programsBundle(`${this.size} programs${chosen}`, shown);
  }
}

/** Returns the training step that made a program, from 1; `null`: it was given. */
function stepOf({ generation }: Program): number | null {
  return generation < 0 ? null : generation + 1;
}

/** A program of a lineage, with the diff to its parent. */
export interface LineageEntry {
  program: Program;
  /** Its expected fitness; `null` when it has left the archive, or has not played. */
  worth: number | null;
  /** The lines of the diff; of the first program, which has no parent, its lines as kept. */
  edit: DiffLine[];
}

/** Returns a program and its ancestors, the oldest first; empty when there is no program with this ID. */
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
    worth: program.evaluations.length > 0 && database.has(program.id) ? database.worth(program) : null,
    edit: lineDiff(chain[Math.max(0, i - 1)].code, program.code),
  }));
}
