import type { RewardTable } from '../rewards/scoring';
import { weightedSum } from '../rewards/scoring';
import { mean, std } from '../rewards/statistics';
import type { Metrics } from '../training/metricsBuffer';

/** Lengths of completions, in tokens, and how many were cut. */
export function completionMetrics(lengths: number[], terminated: boolean[]): Metrics {
  const ended = lengths.filter((_, i) => terminated[i]);
  // TRL counts 0 where no completion came to its end.
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

/** Mean and spread of each reward function and of their weighted sum, over all completions of a step. */
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
