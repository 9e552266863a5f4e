import type { RewardTable } from '../rewards/scoring';
import type { Metrics } from '../training/metricsBuffer';
import { permutation } from '../training/seeds';
import type { Rollouts } from './collect';
import type { ResolvedConfig } from './config';
import type { RefinedGeneration } from './refine';
import type { ProgramSearch } from './refinement/search';
import type { Imitations, PolicyBatch } from './update';

/** The rollouts of a generation with what became of them. */
export interface ScoredRollouts extends Rollouts {
  /** Number of the generation in the run, from 0. */
  generation: number;
  table?: RewardTable;
  advantages?: Float32Array;
  /** Of rollouts and rewards; empty once they were logged. */
  metrics?: Metrics;
  /** What reward functions added to the table of completions, by column. */
  extra?: Map<string, unknown[]>;
  /** Where programs are edited: good ones of before that are learned with it. */
  imitations?: Imitations;
  /** Where programs are edited: how the generation was planned, and, until a step was made with it, the search before and after it. */
  refined?: Pick<RefinedGeneration, 'plan'> & { before?: ProgramSearch; after?: ProgramSearch };
}

/** All of it, once it is scored. */
export type CompleteRollouts = ScoredRollouts &
  Required<Pick<ScoredRollouts, 'table' | 'advantages' | 'metrics' | 'extra'>>;

/** What an update needs of rollouts, as JSON. */
export interface SavedRollouts {
  generation: number;
  promptIds: number[][];
  completionIds: number[][];
  promptOf: number[];
  logprobs: number[][];
  terminated: boolean[];
  advantages: number[];
  imitations?: Imitations;
}

export function isScored(rollouts: ScoredRollouts): rollouts is CompleteRollouts {
  return rollouts.table !== undefined && rollouts.advantages !== undefined;
}

/** For a checkpoint between two updates with the same rollouts. */
export function savedRollouts(rollouts: CompleteRollouts): SavedRollouts {
  const { generation, promptIds, completionIds, promptOf, terminated, imitations } = rollouts;
  const logprobs = rollouts.logprobs.map((values) => Array.from(values));
  return {
    generation,
    promptIds,
    completionIds,
    promptOf,
    logprobs,
    terminated,
    advantages: Array.from(rollouts.advantages),
    ...(imitations && { imitations }),
  };
}

/** Enough to update again; samples and scores were logged before. */
export function restoredRollouts(saved: SavedRollouts): ScoredRollouts {
  return {
    ...saved,
    logprobs: saved.logprobs.map((values) => Float32Array.from(values)),
    advantages: Float32Array.from(saved.advantages),
    table: { names: [], weights: [], values: [] },
    metrics: {},
    samples: [],
    frames: new Map(),
    extra: new Map(),
  };
}

/** Settings that say which rollouts a step learns from. */
type Course = Pick<ResolvedConfig, 'gradientAccumulationSteps' | 'stepsPerGeneration' | 'numIterations'>;

/** The micro-batches of a step: generation and slice of it, as TRL draws them. Step and generations count from 0. */
export function microBatchesOf(
  step: number,
  { gradientAccumulationSteps, stepsPerGeneration, numIterations }: Course,
): Array<{ generation: number; slice: number }> {
  return Array.from({ length: gradientAccumulationSteps }, (_, k) => {
    const micro = step * gradientAccumulationSteps + k;
    return { generation: Math.floor(micro / (stepsPerGeneration * numIterations)), slice: micro % stepsPerGeneration };
  });
}

/** Whether completions may be learned from after the policy that sampled them has changed. */
export function isOffPolicy({ gradientAccumulationSteps, stepsPerGeneration, numIterations }: Course): boolean {
  return gradientAccumulationSteps % (stepsPerGeneration * numIterations) !== 0;
}

/** A slice of a generation as the update takes it. A generation of several slices is shuffled first, as in TRL. */
export function policyBatch(
  rollouts: CompleteRollouts,
  slice: number,
  shuffleSeed: number,
  config: ResolvedConfig,
): PolicyBatch {
  const { stepsPerGeneration } = config;
  const { promptIds, promptOf, terminated, completionIds, advantages, logprobs } = rollouts;
  const count = completionIds.length;
  const order = stepsPerGeneration === 1 ? completionIds.map((_, i) => i) : permutation(count, shuffleSeed);
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
  // Where nothing changes in between, the policy is the one that sampled, and its ratios are exactly 1.
  if (isOffPolicy(config)) batch.oldLogprobs = members.map((i) => logprobs[i]);
  if (rollouts.imitations) batch.imitations = part(rollouts.imitations, slice, stepsPerGeneration);
  if (config.maskTruncatedCompletions)
    batch.mask = members.map((i) => new Uint8Array(completionIds[i].length).fill(counts(i) ? 1 : 0));
  return batch;
}

/** Every `count`-th of them, from `first` on. */
function part(
  { promptIds, completionIds, promptOf, advantages }: Imitations,
  first: number,
  count: number,
): Imitations {
  const own = <T>(list: readonly T[]): T[] => list.filter((_, i) => i % count === first);
  return { promptIds, completionIds: own(completionIds), promptOf: own(promptOf), advantages: own(advantages) };
}
