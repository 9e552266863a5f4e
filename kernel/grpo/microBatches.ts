import { deriveSeed, permutation } from '../training/seeds';
import type { ResolvedConfig } from './config';
import type { Scored } from './rollouts/generations';
import type { Imitations, PolicyBatch } from './update/preparedStep';

/** The settings that determine which completions a step learns from. */
type BatchSettings = Pick<ResolvedConfig, 'gradientAccumulationSteps' | 'stepsPerGeneration' | 'numIterations'>;

/** Returns the micro-batches of a step, each a generation and a slice of it, as TRL draws them. All count from 0. */
export function microBatchesOf(
  step: number,
  { gradientAccumulationSteps, stepsPerGeneration, numIterations }: BatchSettings,
): Array<{ generation: number; slice: number }> {
  return Array.from({ length: gradientAccumulationSteps }, (_, k) => {
    const micro = step * gradientAccumulationSteps + k;
    return { generation: Math.floor(micro / (stepsPerGeneration * numIterations)), slice: micro % stepsPerGeneration };
  });
}

/** Returns whether completions may be learned from after the policy that sampled them has changed. */
export function isOffPolicy({ gradientAccumulationSteps, stepsPerGeneration, numIterations }: BatchSettings): boolean {
  return gradientAccumulationSteps % (stepsPerGeneration * numIterations) !== 0;
}

/** Returns a slice of a generation as the update takes it. A generation of several slices is shuffled first, as in TRL. */
export function policyBatch(
  { number, tokens, advantages, imitations }: Pick<Scored, 'number' | 'tokens' | 'advantages' | 'imitations'>,
  slice: number,
  config: ResolvedConfig,
): PolicyBatch {
  const { stepsPerGeneration, seed } = config;
  const { promptIds, promptOf, terminated, completionIds, logprobs } = tokens;
  const count = completionIds.length;
  const order =
    stepsPerGeneration === 1 ? completionIds.map((_, i) => i) : permutation(count, deriveSeed(seed, 'shuffle', number));
  const members = order.slice((slice * count) / stepsPerGeneration, ((slice + 1) * count) / stepsPerGeneration);
  const counts = (i: number) => !config.maskTruncatedCompletions || terminated[i];
  const counted = completionIds.reduce((sum, ids, i) => sum + (counts(i) ? ids.length : 0), 0);
  const batch: PolicyBatch = {
    promptIds,
    completionIds: members.map((i) => completionIds[i]),
    promptOf: members.map((i) => promptOf[i]),
    advantages: members.map((i) => advantages[i]),
    tokensPerMicroBatch: counted / stepsPerGeneration,
  };
  // When nothing changes in between, the policy is the one that sampled, and its ratios are exactly 1.
  if (isOffPolicy(config)) batch.oldLogprobs = members.map((i) => logprobs[i]);
  if (imitations) batch.imitations = part(imitations, slice, stepsPerGeneration);
  if (config.maskTruncatedCompletions)
    batch.mask = members.map((i) => new Uint8Array(completionIds[i].length).fill(counts(i) ? 1 : 0));
  return batch;
}

/** Returns every `count`-th imitation, from `first` on. */
function part(
  { promptIds, completionIds, promptOf, advantages }: Imitations,
  first: number,
  count: number,
): Imitations {
  const own = <T>(list: readonly T[]): T[] => list.filter((_, i) => i % count === first);
  return { promptIds, completionIds: own(completionIds), promptOf: own(promptOf), advantages: own(advantages) };
}
