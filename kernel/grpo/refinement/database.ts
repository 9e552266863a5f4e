import type { Random } from '../../common/random';
import { Estimates } from './estimate';
import { codeKey, fitnessOf, type Evaluation, type Program } from './program';

/** Settings of a {@link ProgramDatabase}. */
export interface DatabaseSettings {
  numIslands: number;
  /** Programs of all islands together, at most. */
  archiveSize: number;
  /** Generations between two migrations. */
  migrationInterval: number;
  /** Preference for parents of high rank. 1: none; the best fraction p of an island is drawn with probability p^(1/pressure). */
  selectionPressure: number;
}

/** A database as JSON. */
export interface SavedDatabase {
  programs: Program[];
  /** Programs that have left the archive and have descendants in it; of their episodes only the newest. */
  ancestors: Program[];
  /** The ID of the program of each source that was ever played, by the source's key; 0: it was not added. */
  known: Record<string, number>;
  nextId: number;
}

/** Fraction of an island that the programs of one cell may fill. */
const CELL_SHARE = 0.5;

/**
 * The programs of a search, as in FunSearch and ShinkaEvolve: an archive of
 * islands of bounded size between which the best migrate, and parents that are
 * drawn by rank. Programs of one behaviour fill half of an island at most.
 */
export class ProgramDatabase {
  private archive = new Map<number, Program>();
  private ancestors = new Map<number, Program>();
  private known = new Map<string, number>();
  private nextId = 1;
  private cached: Estimates | null = null;

  constructor(readonly settings: DatabaseSettings) {}

  /** Returns an independent copy. Programs are shared: they never change. */
  clone(): ProgramDatabase {
    const copy = new ProgramDatabase(this.settings);
    copy.archive = new Map(this.archive);
    copy.ancestors = new Map(this.ancestors);
    copy.known = new Map(this.known);
    copy.nextId = this.nextId;
    return copy;
  }

  get size(): number {
    return this.archive.size;
  }

  /** Returns the programs of the archive, oldest first. */
  programs(): Program[] {
    return [...this.archive.values()];
  }

  /** Returns a program of the archive, or an ancestor of one. */
  get(id: number): Program | undefined {
    return this.archive.get(id) ?? this.ancestors.get(id);
  }

  /** Returns the ID of the program of a source that was played before, blanks aside; it may have left the archive. 0: it was not added. */
  idOf(code: string): number | undefined {
    return this.known.get(codeKey(code));
  }

  /** Returns whether a program is in the archive. */
  has(id: number): boolean {
    return this.archive.has(id);
  }

  get estimates(): Estimates {
    return (this.cached ??= Estimates.of(this.programs().map(fitnessOf)));
  }

  /** Returns the expected fitness of a program, see {@link Estimates}. */
  worth(program: Program): number {
    return this.estimates.worth(fitnessOf(program));
  }

  /** Returns the programs of the highest worth that have played, best first. */
  best(count = Infinity): Program[] {
    return this.ranked(
      this.programs().filter(({ evaluations }) => evaluations.length > 0),
      (program) => this.worth(program),
    ).slice(0, count);
  }

  /** Returns the programs by the sum of their worth and its standard deviation, highest first. */
  promising(): Program[] {
    return this.ranked(
      this.programs(),
      (program) => this.worth(program) + this.estimates.deviation(fitnessOf(program)),
    );
  }

  /**
   * Draws a parent from an island by the rank of its worth; `null` when there is none.
   *
   * @param accepts whether a program may be the parent; if not, another is drawn
   */
  parent(island: number, random: Random, accepts: (program: Program) => boolean = () => true): Program | null {
    const order = this.best().filter(({ islands }) => islands.includes(island));
    while (order.length > 0) {
      const [program] = order.splice(this.rank(order.length, random), 1);
      if (accepts(program)) return program;
    }
    return null;
  }

  /** Draws other programs from all islands by the rank of their worth, none twice. */
  inspirations(parent: Program, count: number, random: Random): Program[] {
    const order = this.best().filter(({ id }) => id !== parent.id);
    const drawn = Math.min(count, order.length);
    return Array.from({ length: drawn }, () => order.splice(this.rank(order.length, random), 1)[0]);
  }

  /** Draws an index below `count`, low ones preferred. */
  private rank(count: number, random: Random): number {
    return Math.floor(count * random.next() ** this.settings.selectionPressure);
  }

  /** Adds a program, with a new ID. The island may then be too large until {@link trim}. */
  add(program: Omit<Program, 'id'>): Program {
    const added = { ...program, id: this.nextId++ };
    this.archive.set(added.id, added);
    this.know(added.code, added.id);
    this.cached = null;
    return added;
  }

  /** Notes a source as played; `id` is 0 when its program is not added. */
  know(code: string, id = 0): void {
    const key = codeKey(code);
    if (!this.known.has(key)) this.known.set(key, id);
  }

  /** Adds an episode to a program, if it is in the archive. */
  record(id: number, evaluation: Evaluation): void {
    const program = this.archive.get(id);
    if (program) this.replace({ ...program, evaluations: [...program.evaluations, evaluation] });
  }

  /** Replaces a program by another version of it, if it is in the archive. */
  replace(program: Program): void {
    if (!this.archive.has(program.id)) return;
    this.archive.set(program.id, program);
    this.cached = null;
  }

  /** Copies the best program of each island to the next one. */
  migrate(): void {
    const { numIslands } = this.settings;
    const best = Array.from({ length: numIslands }, (_, island) =>
      this.best().find(({ islands }) => islands.includes(island)),
    );
    best.forEach((program, island) => {
      const to = (island + 1) % numIslands;
      if (program && !program.islands.includes(to))
        this.replace({ ...this.archive.get(program.id)!, islands: [...this.archive.get(program.id)!.islands, to] });
    });
  }

  /** Removes programs from islands above their size: those of the least worth, of a cell that fills too much of the island first. */
  trim(): void {
    const { numIslands, archiveSize } = this.settings;
    const size = Math.max(1, Math.floor(archiveSize / numIslands));
    // The order before any is removed, which does not depend on those that are.
    const order = this.ranked(this.programs(), (program) => this.worth(program));
    for (let island = 0; island < numIslands; island++) {
      const members = order.filter(({ islands }) => islands.includes(island));
      while (members.length > size) {
        const crowded = crowdedCell(members, Math.max(1, Math.floor(CELL_SHARE * size)));
        const [leaving] = members.splice(
          members.findLastIndex(({ cell }) => crowded === null || cell === crowded),
          1,
        );
        this.leave(leaving.id, island);
      }
    }
    this.forgetAncestors();
  }

  private leave(id: number, island: number): void {
    const program = this.archive.get(id)!;
    const islands = program.islands.filter((one) => one !== island);
    if (islands.length > 0) return this.replace({ ...program, islands });
    this.archive.delete(id);
    this.ancestors.set(id, { ...program, islands: [], evaluations: program.evaluations.slice(-1) });
    this.cached = null;
  }

  /** Removes ancestors without a descendant in the archive. */
  private forgetAncestors(): void {
    const needed = new Set<number>();
    for (const program of this.archive.values()) {
      for (let id = program.parent; id !== null && !needed.has(id); id = this.get(id)?.parent ?? null) needed.add(id);
    }
    for (const id of this.ancestors.keys()) if (!needed.has(id)) this.ancestors.delete(id);
  }

  /** Returns programs by value, highest first; equal ones by age. */
  private ranked(programs: readonly Program[], value: (program: Program) => number): Program[] {
    return programs
      .map((program) => ({ program, value: value(program) }))
      .sort((a, b) => b.value - a.value || a.program.id - b.program.id)
      .map(({ program }) => program);
  }

  toJSON(): SavedDatabase {
    return {
      programs: this.programs(),
      ancestors: [...this.ancestors.values()],
      known: Object.fromEntries(this.known),
      nextId: this.nextId,
    };
  }

  /** Returns the database that was saved, under these settings. */
  static fromJSON({ programs, ancestors, known, nextId }: SavedDatabase, settings: DatabaseSettings): ProgramDatabase {
    const database = new ProgramDatabase(settings);
    const settled = (program: Program) => ({
      ...program,
      islands: [...new Set(program.islands.map((island) => island % settings.numIslands))],
    });
    database.archive = new Map(programs.map((program) => [program.id, settled(program)]));
    database.ancestors = new Map(ancestors.map((program) => [program.id, program]));
    database.known = new Map(Object.entries(known));
    database.nextId = nextId;
    return database;
  }
}

/** Returns the cell with the most members, if it has more than `most`; else `null`. */
function crowdedCell(members: readonly Program[], most: number): string | null {
  const counts = new Map<string, number>();
  for (const { cell } of members) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  const [fullest] = [...counts].sort(([, a], [, b]) => b - a);
  return fullest && fullest[1] > most ? fullest[0] : null;
}
