import type { ReferenceReturns } from '../environments/reference';
import type { RolloutEnvironment } from '../environments/environment';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer';
import { newRewardLog, scoreSamples, type RewardLog, type WeightedReward } from '../rewards/scoring';
import type { Metrics } from '../training/metricsBuffer';
import { secretSeed } from '../strategy/secret';
import { deriveSeed } from '../training/seeds';
import type { Evaluation } from '../training/trainer';
import { groupAdvantages } from './advantages';
import { collect } from './collect';
import type { ResolvedConfig } from './config';
import { rolloutMetrics } from './generations';
import { meanMetrics } from './policyMetrics';
import type { PromptSource } from './prompts';
import { unplayedOf } from './unplayed';
import type { PolicyBatch, PolicyUpdate } from './update';

/** What an evaluation needs. */
export interface EvaluationContext {
  model: CausalLM;
  tokenizer: Tokenizer;
  env: RolloutEnvironment | null;
  /** What chance gets there. */
  reference?: ReferenceReturns | null;
  config: ResolvedConfig;
  prompts: PromptSource;
  rewards: WeightedReward[];
  update: Pick<PolicyUpdate, 'evaluate'>;
  step: number;
  tokensSeen: number;
  trainerState: RewardLog['trainerState'];
  /** Secret of the run. */
  secret: string;
  signal: AbortSignal;
}

/**
 * Generates a group for each row of the evaluation data, plays and scores it,
 * and computes the loss, without learning. Sampling and starts are the same in
 * every evaluation of a run, and none that training sees.
 *
 * @throws the signal's reason when aborted
 */
export async function evaluatePolicy(context: EvaluationContext): Promise<Evaluation> {
  const { config, prompts, tokensSeen } = context;
  const groupsPerBatch = config.perDeviceEvalBatchSize / config.numGenerationsEval;
  const results: Metrics[] = [];
  for (let first = 0; first < prompts.length; first += groupsPerBatch) {
    const rows = Array.from({ length: Math.min(groupsPerBatch, prompts.length - first) }, (_, i) => first + i);
    results.push(await evaluateBatch(rows, context));
  }
  return {
    metrics: { ...meanMetrics(results), num_tokens: tokensSeen },
    samples: prompts.length * config.numGenerationsEval,
    batches: results.length,
  };
}

async function evaluateBatch(rows: number[], context: EvaluationContext): Promise<Metrics> {
  const { config, prompts, rewards, update, signal, trainerState } = context;
  const groups = rows.map((row) => ({
    prompt: prompts.row(row),
    samplingSeed: deriveSeed(config.seed, 'evaluation sampling', row),
    environmentSeed: secretSeed(context.secret, 'evaluation environment', config.seed, row),
  }));
  const rollouts = await collect({ ...context, groups, numGenerations: config.numGenerationsEval, frames: 0 });
  const log = newRewardLog(trainerState);
  const table = await scoreSamples(rewards, rollouts.samples, { signal, log, seconds: config.rewardSeconds });
  const settings = { ...config, numGenerations: config.numGenerationsEval };
  const unplayed = unplayedOf(rollouts.samples, context);
  const { promptIds, completionIds, promptOf, terminated } = rollouts;
  const batch: PolicyBatch = {
    promptIds,
    completionIds,
    promptOf,
    advantages: groupAdvantages(table, settings, unplayed),
  };
  if (config.maskTruncatedCompletions)
    batch.mask = completionIds.map((ids, i) => new Uint8Array(ids.length).fill(terminated[i] ? 1 : 0));
  return { ...rolloutMetrics(rollouts, table, settings, log, unplayed), ...(await update.evaluate(batch, { signal })) };
}
