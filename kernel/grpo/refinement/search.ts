import { seededRandom } from '../../common/random';
import type { Sample } from '../../rewards/sample';
import { mean } from '../../rewards/statistics';
import type { Metrics } from '../../training/metricsBuffer';
import { deriveSeed } from '../../training/seeds';
import { cellOf, constantAction } from './behaviour';
import { ProgramDatabase, type SavedDatabase } from './database';
import { evaluationOf, forgetOldSamples, sampleOf, type Scored } from './evaluations';
import type { ChildOutcome } from './objective';
import { canonicalCode, codeKey, type Evaluation, type Program } from './program';
import type { ResolvedRefinement } from './settings';
import type { Winner } from './validation';

/** The settings of a search. */
export type SearchSettings = ResolvedRefinement & { seed: number };

/** A group to be made: edits of a parent, or programs from nothing; all play from one start. */
export interface SearchGroup {
  island: number;
  parent: Program | null;
  /** Programs that the prompt shows beside the parent. */
  inspirations: Program[];
  environmentSeed: number;
}

/** What a generation is made of. */
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

/** What becomes of a child: it plays; it is its parent's text, whose replay (by its index) it shares; its program is known, and does not play; or there is no program. */
export type ChildFate = 'play' | 'nothing' | { copyOf: number } | { duplicateOf: number };

/** The first episodes of a generation. */
export interface Assignment {
  /** Group after group. */
  children: ChildFate[];
  /** Of the parents, in the order of their groups. */
  replays: Replay[];
}

/** What became of a child. */
export interface ChildReport extends ChildOutcome {
  /** ID of the program where the database has taken it. */
  id: number | null;
  /** Whether it is a known text, or behaves as a known program does. */
  duplicate: boolean;
}

/** What became of a group: all that advantages are made of. */
export interface GroupReport {
  fresh: boolean;
  parent: number | null;
  /** What gains are measured against: the parent's worth, of fresh programs the mean. */
  baseline: number | null;
  children: ChildReport[];
}

/** A generation that has played, but for the second look at what is promising. */
export interface Arrivals {
  /** The search with all that came in; nothing has left it yet. */
  search: ProgramSearch;
  generation: number;
  groups: GroupReport[];
  /** Of each child the fitness of its episode. */
  fitness: Array<number | null>;
  /** Episodes that duplicates have saved. */
  saved: number;
  /** Programs that have played again already. */
  replayed: Set<number>;
}

/** What became of a generation. */
export interface SearchReport {
  groups: GroupReport[];
  metrics: Metrics;
}

/** A search as JSON. */
export interface SavedSearch extends SavedDatabase {
  /** Episodes played so far. */
  episodes: number;
  winner: Winner | null;
}

/** A program that has played so often does not play again for being promising. */
const WELL_KNOWN = 24;
/**
 * A search for programs: which parents are edited, who plays, and what of it
 * is kept. It neither writes programs nor plays nor scores:
 *
 *   const plan = search.plan(generation, count, (i) => startOf(generation, i));
 *   const children = plan.groups.map(({ parent }) => …);                       // sources, by a model or any editor
 *   const assignment = search.assign(plan, children.flat(), (i) => startOf(generation, i));
 *   …                                                                          // plays and scores them
 *   const arrivals = search.accept(plan, assignment, scoredChildren, scoredReplays);
 *   const again = secondLook(arrivals, (i) => startOf(generation, i));
 *   …                                                                          // plays and scores them
 *   ({ search, report } = ProgramSearch.complete(arrivals, again, scoredAgain));
 *
 * #### Notes
 * A search never changes: {@link complete} and {@link rescored} give another one.
 * So a generation that is interrupted, or scored again by other reward
 * functions, leaves nothing behind. All draws follow from seed and generation.
 */
export class ProgramSearch {
  private constructor(
    readonly settings: SearchSettings,
    readonly database: ProgramDatabase,
    /** Episodes played so far. */
    readonly episodes: number,
    /** What the validation has chosen; `null` before, and when the search went on since. */
    readonly winner: Winner | null,
  ) {}

  /** An empty search, but for the initial programs. */
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
   * The groups of a generation. Without a program that may be its parent, a
   * group is fresh.
   *
   * @param startOf seed of the environment for the i-th start of the generation
   * @param fits whether a program may be the parent of a group: its prompt leaves room for a completion
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
   * Who plays first: the children that are no duplicates, and each parent from
   * its group's start.
   *
   * @param codes the children's sources, group after group; `null` where there is none that may be played
   */
  assign({ groups }: SearchPlan, codes: ReadonlyArray<string | null>): Assignment {
    const size = codes.length / groups.length;
    const replays = groups.flatMap(({ parent, environmentSeed }): Replay[] =>
      parent ? [{ program: parent, environmentSeed }] : [],
    );
    const replayOf = (g: number) => groups.slice(0, g).filter(({ parent }) => parent).length;
    const children = codes.map((code, i): ChildFate => {
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
   * Takes in a generation that was played and scored.
   *
   * @param children group after group
   * @param replays those of the assignment
   */
  accept(
    plan: SearchPlan,
    { children: fates, replays: assigned }: Assignment,
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
        .map((scored, i) => ({ scored, fate: fates[g * size + i], evaluation: evaluationOf(scored) }));
      const baseline = worths[g] ?? meanFitness(members);
      const outcomes = takeIn(database, {
        generation: plan.generation,
        group,
        members,
        baseline,
        replay: group.parent ? replayed[replay++] : null,
      });
      return { fresh: !group.parent, parent: group.parent?.id ?? null, baseline, children: outcomes };
    });
    const played = [...children, ...replays].filter(
      ({ sample }, i) => sample.episode && (i >= children.length || fates[i] === 'play'),
    ).length;
    return {
      search: new ProgramSearch(this.settings, database, this.episodes + played, null),
      generation: plan.generation,
      groups,
      fitness: children.map((scored) => evaluationOf(scored)?.fitness ?? null),
      saved: fates.filter((fate) => typeof fate === 'object').length,
      replayed: new Set(assigned.map(({ program }) => program.id)),
    };
  }

  /** Takes in the second look, says what is now known of the generation's gains, and lets go what is worth least. */
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
    return { search, report: { groups: known, metrics: search.metrics(known) } };
  }

  private metrics(groups: readonly GroupReport[]): Metrics {
    const edits = groups.filter(({ fresh }) => !fresh).flatMap(({ children }) => children);
    const all = groups.flatMap(({ children }) => children);
    const share = (list: readonly ChildReport[], is: (child: ChildReport) => boolean) =>
      list.length > 0 ? list.filter(is).length / list.length : NaN;
    const [best] = this.database.best(1);
    return {
      'refinement/gain_mean': mean(edits.map(({ status, gain }) => (status === 'played' ? gain : null))),
      'refinement/improved': share(edits, ({ status, gain }) => status === 'played' && gain !== null && gain > 0),
      'refinement/duplicates': share(all, ({ duplicate }) => duplicate),
      'refinement/failed': share(all, ({ status }) => status === 'failed'),
      'refinement/best_worth': best ? this.database.worth(best) : NaN,
      'refinement/archive_size': this.database.size,
      'refinement/episodes': this.episodes,
    };
  }

  /**
   * The search as other reward functions see it: what is in memory of the
   * programs' episodes is scored again; the others are forgotten, and programs
   * without any play again in the next generation.
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

  /** The search under other settings. */
  withSettings(settings: SearchSettings): ProgramSearch {
    return new ProgramSearch(
      settings,
      ProgramDatabase.fromJSON(this.database.toJSON(), settings),
      this.episodes,
      this.winner,
    );
  }

  /** The search with what a validation has chosen. */
  withWinner(winner: Winner | null, episodes: number): ProgramSearch {
    return new ProgramSearch(this.settings, this.database, this.episodes + episodes, winner);
  }

  /** The best programs: first the winner of the validation, where there is one, then by worth. */
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
 * The second look: programs without any episode (given ones, and those whose
 * rewards have changed), and those that may be better than they seem, children
 * of this generation among them; the more the more episodes duplicates save.
 */
export function secondLook(
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

/**
 * What is known of each child's gain: its worth less that of its parent, of a
 * fresh program less the mean of its group. One lucky episode is worth little,
 * and what the second look confirms is worth more.
 */
function gainsOf(
  database: ProgramDatabase,
  groups: readonly GroupReport[],
  fitness: ReadonlyArray<number | null>,
): GroupReport[] {
  let child = 0;
  return groups.map((group) => {
    const worths = group.children.map(({ id }) => {
      const first = fitness[child++];
      const program = id === null ? undefined : database.get(id);
      return program ? database.worth(program) : first === null ? null : database.estimates.worth([first]);
    });
    const parent = group.parent === null ? undefined : database.get(group.parent);
    const baseline = parent ? database.worth(parent) : mean(worths);
    return {
      ...group,
      baseline,
      children: group.children.map((one, i) => ({
        ...one,
        gain: one.gain === null || worths[i] === null ? null : worths[i] - baseline,
      })),
    };
  });
}

/** A group that is taken into a database. */
interface ArrivingGroup {
  generation: number;
  group: SearchGroup;
  members: Array<{ scored: Scored; fate: ChildFate; evaluation: Evaluation | null }>;
  /** Fitness that gains are measured against. */
  baseline: number | null;
  /** The parent's episode from the same start. */
  replay: Evaluation | null;
}

/** Adds the children of a group that are new and play, and says what became of each. */
function takeIn(
  database: ProgramDatabase,
  { generation, group, members, baseline, replay }: ArrivingGroup,
): ChildReport[] {
  const { parent, island } = group;
  const constants = knownConstants(database);
  const traces = new Set(replay ? [replay.trace] : []);
  return members.map(({ scored: { sample }, fate, evaluation }): ChildReport => {
    const gain = evaluation && baseline !== null ? evaluation.fitness - baseline : null;
    const none = { gain: null, id: null, duplicate: false };
    if (sample.environmentError !== undefined) return { status: 'lost', ...none };
    if (typeof fate === 'object') return { status: 'unchanged', gain, id: null, duplicate: true };
    if (!sample.episode) return { status: 'failed', ...none };
    if (!evaluation) return { status: 'lost', ...none };
    const action = constantAction(evaluation);
    const unchanged = evaluation.trace === replay?.trace || (action !== null && constants.has(action));
    const duplicate = unchanged || traces.has(evaluation.trace) || database.idOf(sample.code!) !== undefined;
    traces.add(evaluation.trace);
    const status = sample.episode.failed ? 'failed' : unchanged ? 'unchanged' : 'played';
    if (duplicate) database.know(sample.code!);
    const id = duplicate
      ? null
      : database.add({
          ...newProgram(sample.code!, evaluation),
          parent: parent?.id ?? null,
          generation,
          islands: [island],
          gain: parent ? gain : null,
        }).id;
    return { status, gain, id, duplicate };
  });
}

/** The actions that programs of the database choose always. */
function knownConstants(database: ProgramDatabase): Set<string> {
  return new Set(
    database.programs().flatMap(({ evaluations }) => {
      const actions = evaluations.map(constantAction);
      return actions.length > 0 && actions[0] !== null && actions.every((action) => action === actions[0])
        ? [actions[0]]
        : [];
    }),
  );
}

/** Mean fitness of those that have one. */
function meanFitness(members: ArrivingGroup['members']): number | null {
  const known = members.flatMap(({ evaluation }) => evaluation?.fitness ?? []);
  return known.length > 0 ? mean(known) : null;
}

function newProgram(code: string, evaluation: Evaluation): Pick<Program, 'code' | 'evaluations' | 'cell'> {
  return { code: canonicalCode(code), evaluations: [evaluation], cell: cellOf(code, evaluation) };
}
