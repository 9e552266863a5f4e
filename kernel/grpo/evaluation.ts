import { score, type RewardTable } from '../rewards/scoring';
import { secretSeed } from '../strategy/secret';
import type { Metrics } from '../training/metricsBuffer';
import { deriveSeed } from '../training/seeds';
import type { EvalLoopOutput } from '../training/trainer';
import { groupAdvantages, unplayedOf } from './advantages';
import type { StepContext } from './context';
import { completionsOf, generate, type CompletionTokens, type Group } from './rollouts/generate';
import { rolloutMetrics } from './metrics';
import { play } from './rollouts/play';
import type { TrlUpdate } from './trl/update';
import { worthOf } from './trl/worth';
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

/** The same for a model in a worker, which computes the loss of all when their rewards are known. */
export async function evaluateInWorker(
  update: Pick<TrlUpdate, 'evaluate'>,
  context: StepContext,
): Promise<EvalLoopOutput> {
  const { config, prompts, tokensSeen, signal } = context;
  const numGenerations = config.numGenerationsEval;
  const groups: EvaluatedRows[] = [];
  for (let row = 0; row < prompts.length; row++)
    groups.push(await playRows([row], { ...context, config: { ...config, numGenerations } }));
  let asked: EvaluatedRows[] = [];
  const waiting = [...groups];
  const metrics = await update.evaluate(
    {
      async prompts(_mode, count) {
        // Processes of which the last ones have nothing to do get what was there already.
        asked = Array.from({ length: count }, () => waiting.shift() ?? groups[0]);
        return {
          prompts: asked.flatMap(({ tokens }) => tokens.promptIds),
          completions: asked.flatMap(({ tokens }) => tokens.completionIds),
        };
      },
      async score() {
        const worths = asked.map(({ table, advantages }) => worthOf({ table, advantages }));
        return {
          ...worths[0],
          rewards: Float32Array.from(worths.flatMap(({ rewards }) => [...rewards])),
          advantages: Float32Array.from(worths.flatMap(({ advantages }) => [...advantages])),
        };
      },
    },
    signal,
  );
  const named = Object.entries(metrics).map(([name, value]) => [name.replace(/^eval_/, ''), value]);
  return {
    metrics: {
      ...Object.fromEntries(named.filter(([name]) => !/runtime|per_second/.test(String(name)))),
      ...meanMetrics(groups.map((group) => group.metrics)),
      num_tokens: tokensSeen,
    },
    samples: prompts.length * numGenerations,
    batches: groups.length,
  };
}

async function evaluateRows(
  rows: number[],
  update: Pick<PolicyUpdate, 'evaluate'>,
  context: StepContext,
): Promise<Metrics> {
  const { config, signal } = context;
  const { tokens, advantages, metrics } = await playRows(rows, context);
  const { promptIds, completionIds, promptOf, terminated } = tokens;
  const batch: PolicyBatch = { promptIds, completionIds, promptOf, advantages };
  if (config.maskTruncatedCompletions)
    batch.mask = completionIds.map((ids, i) => new Uint8Array(ids.length).fill(terminated[i] ? 1 : 0));
  return { ...metrics, ...(await update.evaluate(batch, { signal })) };
}

/** Groups of rows that have played, with what they are worth. */
interface EvaluatedRows {
  tokens: CompletionTokens;
  table: RewardTable;
  advantages: Float32Array;
  metrics: Metrics;
}

async function playRows(rows: number[], context: StepContext): Promise<EvaluatedRows> {
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
  const advantages = groupAdvantages(scores.table, config, unplayed);
  return { tokens, table: scores.table, advantages, metrics: rolloutMetrics(tokens, scores, config, unplayed) };
}
