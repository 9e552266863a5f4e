import { mean, std } from '../common/statistics';
import { weightedSum, type RewardTable, type Scores } from '../rewards/scoring';
import { NAMES_OF_STATES, type Metrics } from '../training/metricsBuffer';
import { fractionZeroStd, type AdvantageSettings, type Unplayed } from './advantages';
import type { CompletionTokens } from './rollouts/generate';
import { freshOf, type Scored } from './rollouts/generations';
import { meanMetrics } from './update/policyMetrics';

/** Returns the metrics of completions and their rewards, with what the reward functions logged. */
export function rolloutMetrics(
  { completionIds, terminated }: Pick<CompletionTokens, 'completionIds' | 'terminated'>,
  { table, metrics }: Pick<Scores, 'table' | 'metrics'>,
  settings: AdvantageSettings,
  unplayed: Unplayed,
): Metrics {
  return {
    ...completionMetrics(
      completionIds.map((ids) => ids.length),
      terminated,
    ),
    ...rewardMetrics(table),
    frac_reward_zero_std: fractionZeroStd(table, settings, unplayed),
    ...Object.fromEntries([...metrics].map(([name, values]) => [name, mean(values)])),
  };
}

/** Returns the lengths of completions, in tokens, and the fraction that was cut. */
function completionMetrics(lengths: number[], terminated: boolean[]): Metrics {
  const ended = lengths.filter((_, i) => terminated[i]);
  // As in TRL, 0 when no completion has ended by itself.
  const endedOrZero = ended.length > 0 ? ended : [0];
  return {
    'completions/mean_length': mean(lengths),
    'completions/min_length': Math.min(...lengths),
    'completions/max_length': Math.max(...lengths),
    'completions/clipped_ratio': 1 - ended.length / lengths.length,
    'completions/mean_terminated_length': mean(endedOrZero),
    'completions/min_terminated_length': Math.min(...endedOrZero),
    'completions/max_terminated_length': Math.max(...endedOrZero),
  };
}

/** Returns mean and standard deviation of each reward function and of their weighted sum, over all completions. */
export function rewardMetrics(table: RewardTable): Metrics {
  const metrics: Metrics = {};
  table.names.forEach((name, f) => {
    metrics[`rewards/${name}/mean`] = mean(table.values[f]);
    metrics[`rewards/${name}/std`] = std(table.values[f]);
  });
  const sums = weightedSum(table);
  metrics.reward = mean(sums);
  metrics.reward_std = std(sums);
  return metrics;
}

/**
 * Returns the metrics of the generations that a step is the first to learn
 * from: their means, or the newest value of metrics that are states of the run.
 *
 * @param tokensSeen tokens before the step
 */
export function generationMetrics(generations: readonly Scored[], tokensSeen: number): Metrics {
  const fresh = freshOf(generations);
  if (fresh.length === 0) return {};
  const states = Object.entries(fresh.at(-1)!.metrics).filter(([name]) => NAMES_OF_STATES.has(name));
  return {
    num_tokens: fresh.reduce((sum, { tokens }) => sum + countTokens(tokens), tokensSeen),
    ...meanMetrics(fresh.map(({ metrics }) => metrics)),
    ...Object.fromEntries(states),
  };
}

/** Returns the number of tokens of completions and prompts: a prompt counts for each of its completions. */
function countTokens({ promptIds, promptOf, completionIds }: CompletionTokens): number {
  return completionIds.reduce((sum, ids, i) => sum + ids.length + promptIds[promptOf[i]].length, 0);
}
