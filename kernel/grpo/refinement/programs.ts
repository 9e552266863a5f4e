import type { MimeBundle } from '../../display/host';
import { lineageBundle, programsBundle } from '../../display/lineage';
import { formatNumber } from '../../display/table';
import { lineageOf, type LineageEntry } from './lineage';
import type { Program } from './program';
import type { ProgramSearch } from './search';
import type { Winner } from './validation';

/** A program with what is expected of it. */
export interface RankedProgram extends Program {
  /** Expected fitness: the weighted sum of the reward functions. */
  worth: number;
}

/** A program and its ancestors, the eldest first. Displayed: each with its edit. */
export class Lineage {
  constructor(readonly entries: readonly LineageEntry[]) {}

  [Symbol.for('Jupyter.display')](): MimeBundle {
    const { program } = this.entries.at(-1)!;
    return lineageBundle(
      `Lineage of program ${program.id}`,
      this.entries.map(({ program, worth, edit }) => ({
        id: program.id,
        step: stepOf(program),
        worth,
        gain: program.gain,
        edit,
      })),
    );
  }
}

/** The programs that a run has found so far, to be read. */
export class Programs {
  constructor(private readonly search: () => ProgramSearch | null) {}

  /** How many are kept. */
  get size(): number {
    return this.search()?.database.size ?? 0;
  }

  /** What the validation at the end of the run has chosen; `null` before. */
  get winner(): Winner | null {
    return this.search()?.winner ?? null;
  }

  /** The winner of the validation, else the program of the highest worth; `null` where there is none. */
  best(): RankedProgram | null {
    return this.ranking(1)[0] ?? null;
  }

  /** The best programs: the winner first, then by worth. */
  ranking(count = 10): RankedProgram[] {
    const search = this.search();
    return search ? search.best(count).map((program) => ({ ...program, worth: search.database.worth(program) })) : [];
  }

  /** A program with its ancestors. By default that of the best one. @throws RangeError where there is none of this ID */
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

/** The training step that made a program, from 1; `null`: it was given. */
function stepOf({ generation }: Program): number | null {
  return generation < 0 ? null : generation + 1;
}
