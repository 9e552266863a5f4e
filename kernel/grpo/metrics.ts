import type { RewardTable } from '../rewards/scoring';
import { weightedSum } from '../rewards/scoring';
import { mean, std } from '../rewards/statistics';

/** Metrics by TRL's names. A value that does not exist (NaN) is left out of the log. */
export type Metrics = Record<string, number>;

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

/** Collects the metrics of the steps between two log entries. */
export class MetricsBuffer {
  private values = new Map<string, number[]>();

  add(metrics: Metrics): void {
    for (const [name, value] of Object.entries(metrics)) {
      if (Number.isNaN(value)) continue;
      this.values.set(name, [...(this.values.get(name) ?? []), value]);
    }
  }

  /** The mean of each metric since the last entry; of those that name a state, the newest. */
  flush(): Metrics {
    const newest = new Set(['learning_rate', 'grad_norm', 'num_tokens']);
    const entry: Metrics = {};
    for (const [name, values] of this.values) entry[name] = newest.has(name) ? values.at(-1)! : mean(values);
    this.values = new Map();
    return entry;
  }

  /** For a checkpoint between two entries. */
  toJSON(): Record<string, number[]> {
    return Object.fromEntries(this.values);
  }

  static from(values: Record<string, number[]> = {}): MetricsBuffer {
    const buffer = new MetricsBuffer();
    buffer.values = new Map(Object.entries(values));
    return buffer;
  }
}
