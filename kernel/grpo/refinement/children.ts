import { mean } from '../../common/statistics';
import type { Metrics } from '../../training/metricsBuffer';
import type { ProgramDatabase } from './database';
import { cellOf, constantAction, type Scored } from './evaluations';
import type { ChildOutcome } from './objective';
import { canonicalCode, type Evaluation, type Program } from './program';
import type { ChildAssignment, SearchGroup } from './search';

/** The outcome of a child, and its place in the database. */
export interface ChildReport extends ChildOutcome {
  /** ID of its program in the database; `null` when it was not added. */
  id: number | null;
  /** Whether its source is known, or it behaves as a known program does. */
  duplicate: boolean;
}

/** The outcome of a group: all that advantages are computed from. */
export interface GroupReport {
  /** Whether its programs were written from nothing. */
  fresh: boolean;
  /** ID of the parent; `null` when fresh. */
  parent: number | null;
  /** The fitness that gains are measured against: the parent's worth; when fresh, the mean of the group. */
  baseline: number | null;
  children: ChildReport[];
}

/** The outcome of a generation. */
export interface SearchReport {
  groups: GroupReport[];
  metrics: Metrics;
}

/** A group that has played, to be added to a database. */
export interface ArrivingGroup {
  generation: number;
  group: SearchGroup;
  members: Array<{ scored: Scored; assignment: ChildAssignment; evaluation: Evaluation | null }>;
  /** Fitness that gains are measured against. */
  baseline: number | null;
  /** The parent's episode from the same start. */
  replay: Evaluation | null;
}

/** Adds the children of a group that are new and play, and returns the outcome of each. */
export function addChildren(
  database: ProgramDatabase,
  { generation, group, members, baseline, replay }: ArrivingGroup,
): ChildReport[] {
  const { parent, island } = group;
  const constants = knownConstants(database);
  const traces = new Set(replay ? [replay.trace] : []);
  return members.map(({ scored: { sample }, assignment, evaluation }): ChildReport => {
    const gain = evaluation && baseline !== null ? evaluation.fitness - baseline : null;
    const none = { gain: null, id: null, duplicate: false };
    if (sample.environmentError !== undefined) return { status: 'lost', ...none };
    if (typeof assignment === 'object') return { status: 'unchanged', gain, id: null, duplicate: true };
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

/** Returns the actions that programs of the database consist of, when these always choose the same one. */
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

/** Returns the mean fitness of the members that have one; `null` when none has. */
export function meanFitness(members: ArrivingGroup['members']): number | null {
  const known = members.flatMap(({ evaluation }) => evaluation?.fitness ?? []);
  return known.length > 0 ? mean(known) : null;
}

function newProgram(code: string, evaluation: Evaluation): Pick<Program, 'code' | 'evaluations' | 'cell'> {
  return { code: canonicalCode(code), evaluations: [evaluation], cell: cellOf(code, evaluation) };
}

/**
 * Returns the groups with the gain that is expected of each child: its worth
 * less that of its parent, or of a fresh program less the mean of its group. So
 * one lucky episode counts little, and one that a replay confirms counts more.
 *
 * @param fitness of each child's first episode, group after group
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
