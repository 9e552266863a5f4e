import type { EpisodeData } from './mime';

/* What is shown of reward functions: rollouts scored again, and the panel. */

/** The last rollouts scored again with other reward functions: what changed. */
export const COMPARISON_MIME = 'application/vnd.joylab.comparison.v1+json';

/** Mean and standard deviation of rewards; `null` where there are none. */
export interface Spread {
  mean: number | null;
  std: number | null;
}

/** A reward function that changed. */
export interface ComparedFunction {
  name: string;
  /** Whether there was none of its name. */
  isNew: boolean;
  weight: number;
  /** Its weight before, where that was another. */
  weightBefore?: number;
  before: Spread;
  after: Spread;
  /** Rewards by equal parts of the range from `low` to `high`, before and after. */
  histogram: { low: number; high: number; before: number[]; after: number[] };
}

/** A rollout before and after: each pair is before, after. */
export interface ComparedRollout {
  /** Its position among the compared ones, newest step first. */
  index: number;
  step: number;
  /** The sum of all rewards. */
  sum: [number | null, number | null];
  /** The rank of its sum in its group. */
  rank: [number | null, number | null];
  advantage: [number | null, number | null];
  /** For each changed function its rewards; `null`: it does not apply, or there was none. */
  rewards: Array<[number | null, number | null]>;
  /** The first words of the program, or of the completion. */
  text: string;
  /** The whole program, of those with the largest changes. */
  code?: string;
  /** Whether it has an episode, whose frames can be made. */
  played: boolean;
}

/** Samples on which a function failed in the same way. */
export interface ComparedFailure {
  name: string;
  samples: number[];
  /** What happened, with the place in the cell. */
  text: string;
  /** The lines of code around that place. */
  code: string;
}

/** What changed when rollouts were scored again. */
export interface ComparisonData {
  version: 1;
  /** The ID with which a view opens {@link COMPARISON_COMM}. */
  id: string;
  /** Rollouts, and their groups. */
  count: number;
  groups: number;
  /** The functions that changed; those that did not. */
  functions: ComparedFunction[];
  unchanged: string[];
  failures: ComparedFailure[];
  /** The sum of all rewards. */
  sum: { before: number | null; after: number | null };
  /** Groups whose rollouts all have the same sum. */
  groupsWithoutSpread: { before: number; after: number };
  /** Rollouts whose rank in their group changed. */
  moved: number;
  /** Number of rollouts that changed. */
  changed: number;
  /** Those that changed most: the largest gain in advantage comes first, the largest loss last. */
  rollouts: ComparedRollout[];
  /** Positions in `rollouts` of the largest gains and losses, the largest first. */
  gains: number[];
  losses: number[];
}

/**
 * The comm by which a view of a comparison asks for episodes with their frames,
 * which are made when they are asked for. The view opens it with `{ id }`; the kernel
 * closes it when it has forgotten the rollouts.
 */
export const COMPARISON_COMM = 'joylab.comparison';

/** View → kernel: asks for the episode of a rollout, by its `index`. */
export interface ComparisonRequest {
  index: number;
}

/** Kernel → view. Buffer 0 holds the deflated frames of `episode`. */
export type ComparisonAnswer = { index: number; episode: EpisodeData } | { index: number; error: string };

/** The reward functions that count, and what they did to the last rollouts. */
export const REWARDS_MIME = 'application/vnd.joylab.rewards.v1+json';

/** A reward function in the panel; its numbers are `null` where it scored nothing yet. */
export interface RewardRow {
  name: string;
  weight: number;
  enabled: boolean;
  /** Where it was registered: "Cell [5], line 2". */
  source: string;
  timeLimit?: number;
  mean: number | null;
  std: number | null;
  /** Its part in the sum of all rewards by magnitude, and in the differences within groups: 0 to 1. */
  share: number | null;
  decides: number | null;
  /** Correlation with the return of episodes. */
  withReturn: number | null;
  /** Number of groups in which it gives all the same. */
  ties: number | null;
  /** What is wrong with it, in words. */
  notes: string[];
}

/** The panel of reward functions. */
export interface RewardsData {
  version: 1;
  /** The ID with which a view opens {@link REWARDS_COMM}. */
  id: string;
  rows: RewardRow[];
  /** The last rollouts: their number, their groups, and their newest step; 0 where there are none. */
  rollouts: number;
  groups: number;
  step: number;
  /** What is wrong with all functions together. */
  notes: string[];
}

/**
 * The comm between a panel of reward functions and the functions. The view opens it
 * with `{ id }`; the kernel answers with the data, and sends it again when it changes.
 * What the view sets takes effect at the next step of a run.
 */
export const REWARDS_COMM = 'joylab.rewards';

/** View → kernel. */
export type RewardsRequest =
  | { type: 'weight'; name: string; weight: number }
  | { type: 'enabled'; name: string; enabled: boolean };

/** Kernel → view. `error`: why a request was refused. */
export type RewardsMessage = { type: 'data'; data: RewardsData } | { type: 'error'; text: string };
