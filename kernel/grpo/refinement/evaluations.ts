import { createHash } from 'node:crypto';
import type { Episode } from '../../episodes/episode';
import type { Sample } from '../../rewards/sample';
import { weightedSum, type RewardTable } from '../../rewards/scoring';
import type { ProgramDatabase } from './database';
import type { Evaluation } from './program';

/** A sample with its rewards. */
export interface Scored {
  sample: Sample;
  /** The weighted sum of the rewards; `null` when no function applies. */
  fitness: number | null;
  rewards: Record<string, number | null>;
}

/** Newest episodes of a program that stay in memory, so that other reward functions can score them. */
const REMEMBERED = 4;

/** The samples of evaluations that are still in memory. */
const remembered = new WeakMap<Evaluation, Sample>();

/** Returns samples with their rewards from a table. */
export function scoredSamples(samples: readonly Sample[], table: RewardTable): Scored[] {
  const sums = weightedSum(table);
  return samples.map((sample, i) => ({
    sample,
    fitness: sums[i] ?? null,
    rewards: Object.fromEntries(table.names.map((name, f) => [name, table.values[f][i]])),
  }));
}

/** Returns what a database keeps of an episode; `null` when none was played, or none that counts. */
export function evaluationOf({ sample, fitness, rewards }: Scored): Evaluation | null {
  const { episode } = sample;
  if (!episode || fitness === null || episode.end.reason === 'aborted') return null;
  const { seed: environmentSeed, steps, end } = episode;
  const evaluation: Evaluation = {
    environmentSeed,
    fitness,
    rewards,
    return: episode.return,
    steps,
    end: { ...end },
    actionShares: actionShares(episode),
    trace: traceOf(episode),
  };
  remembered.set(evaluation, sample);
  return evaluation;
}

/** Returns the sample of an evaluation, if it is still in memory. */
export function sampleOf(evaluation: Evaluation): Sample | undefined {
  return remembered.get(evaluation);
}

/** Forgets the samples of a database except the newest of each program: long records take memory. */
export function forgetOldSamples(database: ProgramDatabase): void {
  for (const { evaluations } of database.programs())
    for (const evaluation of evaluations.slice(0, -REMEMBERED)) remembered.delete(evaluation);
}

/** Returns the fraction of the steps that each action has. */
function actionShares({ actions, actionNames }: Pick<Episode, 'actions' | 'actionNames'>): Record<string, number> {
  const counts = new Map<string, number>();
  for (const action of actions) counts.set(actionNames[action], (counts.get(actionNames[action]) ?? 0) + 1);
  return Object.fromEntries([...counts].map(([name, count]) => [name, count / actions.length]));
}

/** Returns a text that is equal for two episodes exactly when their seed, all their actions and their end are. */
function traceOf({
  seed,
  actions,
  actionNames,
  end,
}: Pick<Episode, 'seed' | 'actions' | 'actionNames' | 'end'>): string {
  const names = actions.map((action) => actionNames[action]);
  return createHash('sha256')
    .update(JSON.stringify([seed, names, end.reason]))
    .digest('hex')
    .slice(0, 20);
}

/** Returns the one action that an episode consists of; `null` when there are more, or none, or when it failed. */
export function constantAction({ actionShares, end }: Pick<Evaluation, 'actionShares' | 'end'>): string | null {
  const names = Object.keys(actionShares);
  return names.length === 1 && ['terminated', 'truncated'].includes(end.reason) ? names[0] : null;
}

/** Actions that a cell names, at most: those of the largest shares. */
const NAMED = 4;

/**
 * Returns the cell of a behaviour: how the episode ended, whether the strategy
 * has memory, the number of steps (in powers of two), and its actions' shares in
 * quarters.
 */
export function cellOf(
  code: string,
  { actionShares, steps, end }: Pick<Evaluation, 'actionShares' | 'steps' | 'end'>,
): string {
  const plays = end.reason === 'terminated' || end.reason === 'truncated';
  const shares = Object.entries(actionShares)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, NAMED)
    .map(([name, share]) => [name, Math.round(4 * share)] as const)
    .filter(([, quarters]) => quarters > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [
    plays ? 'plays' : end.reason,
    usesMemory(code) ? 'memory' : 'none',
    Math.round(Math.log2(steps + 1)),
    ...shares.map(([name, quarters]) => `${name}:${quarters}`),
  ];
  return parts.join(' ');
}

/** Returns whether a strategy has memory between its calls: it declares a variable outside of its functions. */
function usesMemory(code: string): boolean {
  return /^(?:let|var)\s|^const\s+\w+\s*(?::[^=]+)?=\s*(?:[[{]|new\s)/m.test(code);
}
