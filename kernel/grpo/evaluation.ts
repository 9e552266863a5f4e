import { score } from '../rewards/scoring';
import { secretSeed } from '../strategy/secret';
import type { Metrics } from '../training/metricsBuffer';
import { deriveSeed } from '../training/seeds';
import type { EvalLoopOutput } from '../training/trainer';
import { groupAdvantages, unplayedOf } from './advantages';
import type { StepContext } from './context';
import { completionsOf, generate, type Group } from './rollouts/generate';
import { rolloutMetrics } from './metrics';
import { play } from './rollouts/play';
import type { PolicyBatch } from './update/preparedStep';
import type { PolicyUpdate } from './update/policyUpdate';
import { meanMetrics } from './update/policyMetrics';

/**
 * Returns the metrics of an evaluation: generates a group for each row of the
 * evaluation data, plays and scores it, and computes the loss, without learning.
 * Seeds are the same in every evaluation of a run, and differ from those of
 * training.
 *
 * @param context the context of a step, with the rows of the evaluation data as its prompts
 * @throws the signal's reason when aborted
 */
export async function evaluatePolicy(
  update: Pick<PolicyUpdate, 'evaluate'>,
  context: StepContext,
): Promise<EvalLoopOutput> {
  const { config, prompts, tokensSeen } = context;
  const { perDeviceEvalBatchSize, numGenerationsEval: numGenerations } = config;
  const groupsPerBatch = perDeviceEvalBatchSize / numGenerations;
  const results: Metrics[] = [];
  for (let first = 0; first < prompts.length; first += groupsPerBatch) {
    const rows = Array.from({ length: Math.min(groupsPerBatch, prompts.length - first) }, (_, i) => first + i);
    results.push(await evaluateRows(rows, update, { ...context, config: { ...config, numGenerations } }));
  }
  return {
    metrics: { ...meanMetrics(results), num_tokens: tokensSeen },
    samples: prompts.length * numGenerations,
    batches: results.length,
  };
}

async function evaluateRows(
  rows: number[],
  update: Pick<PolicyUpdate, 'evaluate'>,
  context: StepContext,
): Promise<Metrics> {
  const { config, prompts, tokenizer, secret, trainerState, signal } = context;
  const groups = rows.map(
    (row): Group => ({
      prompt: prompts.row(row),
      samplingSeed: deriveSeed(config.seed, 'evaluation sampling', row),
      environmentSeed: secretSeed(secret, 'evaluation environment', config.seed, row),
    }),
  );
  const tokens = await generate(groups, context);
  const { samples } = await play(completionsOf(tokens, groups, tokenizer), context);
  const scores = await score(context.rewards(), samples, { trainerState, timeLimit: config.rewardTimeLimit, signal });
  if (scores.error) throw scores.error;
  const unplayed = unplayedOf(samples, context);
  const { promptIds, completionIds, promptOf, terminated } = tokens;
  const advantages = groupAdvantages(scores.table, config, unplayed);
  const batch: PolicyBatch = { promptIds, completionIds, promptOf, advantages };
  if (config.maskTruncatedCompletions)
    batch.mask = completionIds.map((ids, i) => new Uint8Array(ids.length).fill(terminated[i] ? 1 : 0));
  return { ...rolloutMetrics(tokens, scores, config, unplayed), ...(await update.evaluate(batch, { signal })) };
}
