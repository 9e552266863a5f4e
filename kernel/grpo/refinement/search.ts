import { seededRandom } from '../../common/random';
import type { Sample } from '../../rewards/sample';
import { deriveSeed } from '../../training/seeds';
import { addChildren, gainsOf, meanFitness, searchMetrics, type GroupReport, type SearchReport } from './children';
import { ProgramDatabase, type SavedDatabase } from './database';
import { evaluationOf, forgetOldSamples, sampleOf, type Scored } from './evaluations';
import { canonicalCode, codeKey, type Program } from './program';
import type { ResolvedRefinement } from './settings';
import type { Winner } from './validation';

/** The settings of a search. */
export type SearchSettings = ResolvedRefinement & { seed: number };

/** A group that is planned: edits of a parent, or programs from nothing; all play from one environment seed. */
export interface SearchGroup {
  island: number;
  parent: Program | null;
  /** Programs that the prompt shows beside the parent. */
  inspirations: Program[];
  environmentSeed: number;
}

/** A generation that is planned. */
export interface SearchPlan {
  /** From 0. */
  generation: number;
  groups: SearchGroup[];
}

/** A program that plays again. */
export interface Replay {
  program: Program;
  environmentSeed: number;
}

/**
 * What a child does: `play`; share the replay, by its index, of the parent whose
 * source it has (`copyOf`); not play, since a program, by its ID, has its source
 * (`duplicateOf`); or `nothing`, since there is no program.
 */
export type ChildAssignment = 'play' | 'nothing' | { copyOf: number } | { duplicateOf: number };

/** The first episodes of a generation. */
export interface Assignment {
  /** Group after group. */
  children: ChildAssignment[];
  /** Of the parents, in the order of their groups. */
  replays: Replay[];
}

/** A generation that has played, before promising programs play again. */
export interface Arrivals {
  /** The search with all new programs; none has been removed yet. */
  search: ProgramSearch;
  generation: number;
  groups: GroupReport[];
  /** For each child the fitness of its episode. */
  fitness: Array<number | null>;
  /** Episodes that duplicates have saved. */
  saved: number;
  /** IDs of the programs that have played again already. */
  replayed: Set<number>;
}

/** A search as JSON. */
export interface SavedSearch extends SavedDatabase {
  /** Episodes played so far. */
  episodes: number;
  winner: Winner | null;
}

/** Episodes after which a program does not play again for being promising. */
const WELL_KNOWN = 24;

/**
 * A search for programs: which parents are edited, which programs play, and
 * which are kept. It neither writes programs nor plays nor scores:
 *
 *   const plan = search.plan(generation, count, (i) => startOf(generation, i));
 *   const children = plan.groups.map(({ parent }) => …);                       // sources, by a model or any editor
 *   const assignment = search.assign(plan, children.flat());
 *   …                                                                          // plays and scores them
 *   const arrivals = search.accept(plan, assignment, scoredChildren, scoredReplays);
 *   const again = promisingReplays(arrivals, (i) => startOf(generation, i));
 *   …                                                                          // plays and scores them
 *   ({ search, report } = ProgramSearch.complete(arrivals, again, scoredAgain));
 *
 * #### Notes
 * A search never changes: {@link complete} and {@link rescored} return another
 * one. So a generation that is interrupted, or scored again by other reward
 * functions, leaves nothing behind. All draws follow from seed and generation.
 */
export class ProgramSearch {
  private constructor(
    readonly settings: SearchSettings,
    readonly database: ProgramDatabase,
    /** Episodes played so far. */
    readonly episodes: number,
    /** The program that the validation has chosen; `null` before, and when the search has continued since. */
    readonly winner: Winner | null,
  ) {}

  /** Returns a search that has only the initial programs. */
  static start(settings: SearchSettings): ProgramSearch {
    const database = new ProgramDatabase(settings);
    settings.initialPrograms.map(canonicalCode).forEach((code, i) => {
      if (database.idOf(code) !== undefined) return;
      database.add({
        code,
        parent: null,
        generation: -1,
        islands: [i % settings.numIslands],
        evaluations: [],
        cell: '',
        gain: null,
      });
    });
    return new ProgramSearch(settings, database, 0, null);
  }

  /**
   * Plans the groups of a generation. A group is fresh when no program may be its
   * parent.
   *
   * @param count number of groups
   * @param startOf returns the environment seed of the i-th start of the generation
   * @param fits returns whether a program may be the parent of a group: its prompt leaves room for a completion
   */
  plan(
    generation: number,
    count: number,
    startOf: (index: number) => number,
    fits: (program: Program, group: number) => boolean = () => true,
  ): SearchPlan {
    const { seed, freshShare, numIslands } = this.settings;
    const freshUpTo = (groups: number) => Math.floor(groups * freshShare);
    const taken = new Set<number>();
    const groups = Array.from({ length: count }, (_, g): SearchGroup => {
      const number = generation * count + g;
      // Shifted from generation to generation, so that each island gets its fresh programs.
      const island = (generation + g) % numIslands;
      const fresh = freshUpTo(number + 1) > freshUpTo(number);
      const random = seededRandom(deriveSeed(seed, 'parent', generation, g));
      const parent = fresh
        ? null
        : this.database.parent(island, random, (program) => !taken.has(program.id) && fits(program, g));
      if (parent) taken.add(parent.id);
      const inspirations = parent
        ? this.database.inspirations(
            parent,
            this.settings.inspirations,
            seededRandom(deriveSeed(seed, 'inspiration', generation, g)),
          )
        : [];
      return { island, parent, inspirations, environmentSeed: startOf(g) };
    });
    return { generation, groups };
  }

  /**
   * Returns which programs play first: the children that are not duplicates, and
   * each parent from its group's environment seed.
   *
   * @param codes the children's sources, group after group; `null` when there is none that may be played
   */
  assign({ groups }: SearchPlan, codes: ReadonlyArray<string | null>): Assignment {
    const size = codes.length / groups.length;
    const replays = groups.flatMap(({ parent, environmentSeed }): Replay[] =>
      parent ? [{ program: parent, environmentSeed }] : [],
    );
    const replayOf = (g: number) => groups.slice(0, g).filter(({ parent }) => parent).length;
    const children = codes.map((code, i): ChildAssignment => {
      if (code === null) return 'nothing';
      const g = Math.floor(i / size);
      const { parent } = groups[g];
      if (parent && codeKey(code) === codeKey(parent.code)) return { copyOf: replayOf(g) };
      const known = this.database.idOf(code);
      return known === undefined ? 'play' : { duplicateOf: known };
    });
    return { children, replays };
  }

  /**
   * Adds a generation that was played and scored to a copy of the search.
   *
   * @param children group after group
   * @param replays in the order of the assignment
   */
  accept(
    plan: SearchPlan,
    { children: assignments, replays: assigned }: Assignment,
    children: readonly Scored[],
    replays: readonly Scored[],
  ): Arrivals {
    const database = this.database.clone();
    const replayed = replays.map(evaluationOf);
    replayed.forEach((evaluation, i) => evaluation && database.record(assigned[i].program.id, evaluation));
    const size = children.length / plan.groups.length;
    const worths = plan.groups.map(({ parent }) => parent && database.worth(database.get(parent.id) ?? parent));
    let replay = 0;
    const groups = plan.groups.map((group, g): GroupReport => {
      const members = children
        .slice(g * size, (g + 1) * size)
        .map((scored, i) => ({ scored, assignment: assignments[g * size + i], evaluation: evaluationOf(scored) }));
      const baseline = worths[g] ?? meanFitness(members);
      const outcomes = addChildren(database, {
        generation: plan.generation,
        group,
        members,
        baseline,
        replay: group.parent ? replayed[replay++] : null,
      });
      return { fresh: !group.parent, parent: group.parent?.id ?? null, baseline, children: outcomes };
    });
    const played = [...children, ...replays].filter(
      ({ sample }, i) => sample.episode && (i >= children.length || assignments[i] === 'play'),
    ).length;
    return {
      search: new ProgramSearch(this.settings, database, this.episodes + played, null),
      generation: plan.generation,
      groups,
      fitness: children.map((scored) => evaluationOf(scored)?.fitness ?? null),
      saved: assignments.filter((assignment) => typeof assignment === 'object').length,
      replayed: new Set(assigned.map(({ program }) => program.id)),
    };
  }

  /** Adds the episodes of promising programs, computes the gains of the generation from all that is known, and trims the archive. */
  static complete(
    { search: { database: arrived, settings, episodes }, generation, groups, fitness }: Arrivals,
    again: readonly Replay[],
    scored: readonly Scored[],
  ): { search: ProgramSearch; report: SearchReport } {
    const database = arrived.clone();
    again.forEach(({ program }, i) => {
      const evaluation = evaluationOf(scored[i]);
      if (evaluation) database.record(program.id, evaluation);
    });
    const known = gainsOf(database, groups, fitness);
    database.trim();
    if ((generation + 1) % settings.migrationInterval === 0) {
      database.migrate();
      database.trim();
    }
    forgetOldSamples(database);
    const search = new ProgramSearch(
      settings,
      database,
      episodes + scored.filter(({ sample }) => sample.episode).length,
      null,
    );
    return { search, report: { groups: known, metrics: searchMetrics(database, known, search.episodes) } };
  }

  /**
   * Returns the search under other reward functions: the episodes that are in
   * memory are scored again; the others are forgotten, and programs without any
   * play again in the next generation.
   */
  async rescored(score: (samples: Sample[]) => Promise<Scored[]>): Promise<ProgramSearch> {
    const database = this.database.clone();
    const kept = database.programs().map((program) => ({
      program,
      samples: program.evaluations.flatMap((evaluation) => sampleOf(evaluation) ?? []),
    }));
    const scored = await score(kept.flatMap(({ samples }) => samples));
    for (const { program, samples } of kept) {
      const evaluations = scored.splice(0, samples.length).flatMap((one) => evaluationOf(one) ?? []);
      database.replace({ ...program, evaluations });
    }
    return new ProgramSearch(this.settings, database, this.episodes, null);
  }

  /** Returns the search under other settings. */
  withSettings(settings: SearchSettings): ProgramSearch {
    return new ProgramSearch(
      settings,
      ProgramDatabase.fromJSON(this.database.toJSON(), settings),
      this.episodes,
      this.winner,
    );
  }

  /** Returns the search with the winner of a validation, and the number of episodes that it played. */
  withWinner(winner: Winner | null, episodes: number): ProgramSearch {
    return new ProgramSearch(this.settings, this.database, this.episodes + episodes, winner);
  }

  /** Returns the best programs: first the winner of the validation, if there is one, then by worth. */
  best(count = 1): Program[] {
    const winner = this.winner && this.database.get(this.winner.id);
    const others = this.database.best().filter(({ id }) => id !== winner?.id);
    return [...(winner ? [winner] : []), ...others].slice(0, count);
  }

  toJSON(): SavedSearch {
    return { ...this.database.toJSON(), episodes: this.episodes, winner: this.winner };
  }

  static fromJSON({ episodes, winner, ...database }: SavedSearch, settings: SearchSettings): ProgramSearch {
    return new ProgramSearch(settings, ProgramDatabase.fromJSON(database, settings), episodes, winner);
  }
}

/**
 * Returns the programs that play again: those without any episode (given ones,
 * and those whose rewards have changed), and the promising ones, children of this
 * generation among them. Episodes that duplicates have saved go to them.
 */
export function promisingReplays(
  { search: { database, settings }, groups, saved, replayed }: Arrivals,
  startOf: (index: number) => number,
): Replay[] {
  const others = database.promising().filter(({ id }) => !replayed.has(id));
  const unknown = others.filter(({ evaluations }) => evaluations.length === 0);
  const known = others.filter(({ evaluations }) => evaluations.length > 0 && evaluations.length < WELL_KNOWN);
  const count = settings.replays + saved;
  return [...unknown, ...known.slice(0, Math.max(0, count - unknown.length))].map((program, i) => ({
    program,
    environmentSeed: startOf(groups.length + i),
  }));
}
