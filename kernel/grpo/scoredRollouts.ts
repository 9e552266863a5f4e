import type { RewardTable } from '../rewards/scoring';
import type { Rollouts } from './collect';
import type { Metrics } from './metrics';

/** The rollouts of a step with what became of them. */
export interface ScoredRollouts extends Rollouts {
  /** Number of the generation in the run, from 0. */
  generation: number;
  table?: RewardTable;
  advantages?: Float32Array;
  /** Of rollouts and rewards; empty once they were logged. */
  metrics?: Metrics;
}

/** What an update needs of rollouts, as JSON. */
export interface SavedRollouts {
  generation: number;
  promptIds: number[][];
  completionIds: number[][];
  promptOf: number[];
  logprobs: number[][];
  terminated: boolean[];
  advantages: number[];
}

export function isScored(rollouts: ScoredRollouts): rollouts is Required<ScoredRollouts> {
  return rollouts.table !== undefined && rollouts.advantages !== undefined;
}

/** For a checkpoint between two updates with the same rollouts. */
export function savedRollouts(rollouts: Required<ScoredRollouts>): SavedRollouts {
  const { generation, promptIds, completionIds, promptOf, terminated } = rollouts;
  const logprobs = rollouts.logprobs.map((values) => Array.from(values));
  return { generation, promptIds, completionIds, promptOf, logprobs, terminated, advantages: Array.from(rollouts.advantages) };
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
  };
}
