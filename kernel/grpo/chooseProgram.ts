import type { Sample } from '../rewards/sample';
import { newRewardLog, scoreSamples, type WeightedReward } from '../rewards/scoring';
import type { RolloutEnvironment } from '../environments/environment';
import { fillIn } from './collect';
import { scoredSamples } from './refinement/evaluations';
import type { ProgramSearch } from './refinement/search';
import { validate } from './refinement/validation';

/** What choosing a program needs. */
export interface ChoiceContext {
  search: ProgramSearch;
  env: RolloutEnvironment;
  rewards: WeightedReward[];
  /** Makes a sample of a source, without its episode. */
  sampleOf(code: string): Sample;
  /** Seed of the i-th validation start: none that training or an evaluation has. */
  environmentSeedOf(start: number): number;
  limits: { maxEpisodeSteps: number; strategyTimeLimit: number; rewardTimeLimit: number };
  /** Secret of the run. */
  secret: string;
  signal: AbortSignal;
}

/** Chooses the best program of a search on validation starts. @throws the signal's reason when aborted */
export async function chooseProgram(context: ChoiceContext): Promise<ProgramSearch> {
  const { search } = context;
  const { database, settings } = search;
  const candidates = database.best().map((program) => ({ id: program.id, worth: database.worth(program) }));
  const { winner, episodes } = await validate(candidates, settings.validationEpisodes, async (ids, starts) => {
    const codes = ids.flatMap((id) => starts.map(() => database.get(id)!.code));
    const seeds = ids.flatMap(() => starts.map(context.environmentSeedOf));
    const fitness = await fitnessOf(codes, seeds, context);
    return ids.map((_, i) => fitness.slice(i * starts.length, (i + 1) * starts.length));
  });
  return search.withWinner(winner, episodes);
}

async function fitnessOf(
  codes: string[],
  seeds: number[],
  { env, rewards, sampleOf, limits, secret, signal }: ChoiceContext,
): Promise<Array<number | null>> {
  const { rollout } = require('../rollout') as typeof import('../rollout');
  const samples = codes.map(sampleOf);
  const { episodes } = await rollout(env, codes, {
    seeds,
    maxSteps: limits.maxEpisodeSteps,
    strategyTimeLimit: limits.strategyTimeLimit,
    secret,
    signal,
  });
  signal.throwIfAborted();
  samples.forEach((sample, i) => fillIn(sample, episodes[i]));
  const table = await scoreSamples(rewards, samples, {
    signal,
    log: newRewardLog(),
    timeLimit: limits.rewardTimeLimit,
  });
  return scoredSamples(samples, table).map(({ fitness }) => fitness);
}
