import type { Sample } from '../rewards/sample';
import type { RewardTable } from '../rewards/scoring';
import type { Metrics } from '../training/metricsBuffer';
import type { Scored } from './rollouts/generations';

/** A completed training step. */
export interface TrainingStep {
  /** Counted from 1. */
  step: number;
  /** TRL's metrics of this step alone. */
  metrics: Metrics;
  /** All samples of the generations that the step learned from. */
  samples: Sample[];
  rewards: RewardTable;
  /** One per sample. */
  advantages: Float32Array;
}

/** Returns what `onStep` gets of a step: all samples of the generations that it learned from. */
export function stepResult(step: number, generations: readonly Scored[], metrics: Metrics): TrainingStep {
  const { names, weights } = generations[0].table;
  return {
    step,
    metrics,
    samples: generations.flatMap(({ samples }) => samples),
    rewards: { names, weights, values: names.map((_, f) => generations.flatMap(({ table }) => table.values[f])) },
    advantages: Float32Array.from(generations.flatMap(({ advantages }) => Array.from(advantages))),
  };
}
