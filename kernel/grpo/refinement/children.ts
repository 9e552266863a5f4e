import { mean } from '../../common/statistics';
import type { Metrics } from '../../training/metricsBuffer';
import type { ProgramDatabase } from './database';
import { cellOf, constantAction, type Scored } from './evaluations';
import type { ChildOutcome } from './objective';
import { canonicalCode, type Evaluation, type Program } from './program';
import type { ChildFate, SearchGroup } from './search';

/** The outcome of a child, and its place in the database. */
export interface ChildReport extends ChildOutcome {
  /** ID of the program where the database has taken it. */
  id: number | null;
  /** It is a known text, or behaves as a known program does. */
  duplicate: boolean;
}

/** The outcome of a group: all that advantages are made of. */
export interface GroupReport {
  fresh: boolean;
  parent: number | null;
  /** The fitness that gains are measured against: the parent's worth, of fresh programs the mean. */
  baseline: number | null;
  children: ChildReport[];
}

/** The outcome of a generation. */
export interface SearchReport {
  groups: GroupReport[];
  metrics: Metrics;
}

/** A group that is taken into a database. */
export interface ArrivingGroup {
  generation: number;
  group: SearchGroup;
  members: Array<{ scored: Scored; fate: ChildFate; evaluation: Evaluation | null }>;
  /** Fitness that gains are measured against. */
  baseline: number | null;
  /** The parent's episode from the same start. */
  replay: Evaluation | null;
}

/** Adds the children of a group that are new and play. @returns what became of each */
export function addChildren(
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

/** Returns the actions that programs of the database choose always. */
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

/** Returns the mean fitness of those that have one. */
export function meanFitness(members: ArrivingGroup['members']): number | null {
  const known = members.flatMap(({ evaluation }) => evaluation?.fitness ?? []);
  return known.length > 0 ? mean(known) : null;
}

function newProgram(code: string, evaluation: Evaluation): Pick<Program, 'code' | 'evaluations' | 'cell'> {
  return { code: canonicalCode(code), evaluations: [evaluation], cell: cellOf(code, evaluation) };
}

/**
 * Returns what is known of each child's gain: its worth less that of its parent, of a
 * fresh program less the mean of its group. One lucky episode is worth little,
 * and what the second look confirms is worth more.
 */
export function gainsOf(
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

/** Returns the metrics of a generation. */
export function searchMetrics(database: ProgramDatabase, groups: readonly GroupReport[], episodes: number): Metrics {
  const edits = groups.filter(({ fresh }) => !fresh).flatMap(({ children }) => children);
  const all = groups.flatMap(({ children }) => children);
  const share = (list: readonly ChildReport[], is: (child: ChildReport) => boolean) =>
    list.length > 0 ? list.filter(is).length / list.length : NaN;
  const [best] = database.best(1);
  return {
    'refinement/gain_mean': mean(edits.map(({ status, gain }) => (status === 'played' ? gain : null))),
    'refinement/improved': share(edits, ({ status, gain }) => status === 'played' && gain !== null && gain > 0),
    'refinement/duplicates': share(all, ({ duplicate }) => duplicate),
    'refinement/failed': share(all, ({ status }) => status === 'failed'),
    'refinement/best_worth': best ? database.worth(best) : NaN,
    'refinement/archive_size': database.size,
    'refinement/episodes': episodes,
  };
}
