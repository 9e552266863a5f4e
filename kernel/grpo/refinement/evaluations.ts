import type { Sample } from '../../rewards/sample';
import { weightedSum, type RewardTable } from '../../rewards/scoring';
import { actionShares, traceOf } from './behaviour';
import type { ProgramDatabase } from './database';
import type { Evaluation } from './program';

/** A sample with what the reward functions gave it. */
export interface Scored {
  sample: Sample;
  /** Their weighted sum; `null` where none applies. */
  fitness: number | null;
  rewards: Record<string, number | null>;
}

/** Newest episodes of a program that stay in memory, so that other reward functions can score them. */
const REMEMBERED = 4;

/** The samples of evaluations, for as long as they are in memory. */
const remembered = new WeakMap<Evaluation, Sample>();

/** Samples with their rewards out of a table. */
export function scoredSamples(samples: readonly Sample[], table: RewardTable): Scored[] {
  const sums = weightedSum(table);
  return samples.map((sample, i) => ({
    sample,
    fitness: sums[i] ?? null,
    rewards: Object.fromEntries(table.names.map((name, f) => [name, table.values[f][i]])),
  }));
}

/** What a database keeps of an episode; `null` where none was played, or none that counts. */
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

/** The sample of an evaluation, where it is still in memory. */
export function sampleOf(evaluation: Evaluation): Sample | undefined {
  return remembered.get(evaluation);
}

/** Long records take memory: of each program only the newest stay. */
export function forgetOldSamples(database: ProgramDatabase): void {
  for (const { evaluations } of database.programs())
    for (const evaluation of evaluations.slice(0, -REMEMBERED)) remembered.delete(evaluation);
}
