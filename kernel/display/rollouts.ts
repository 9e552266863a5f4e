import type { EpisodeData } from './mime';

/**
 * The comm by which a view reads the rollouts that runs have kept. The view
 * opens it, in any kernel, with `{ database }`, the path of a file; each request
 * has one answer, and the kernel closes it when it cannot be read.
 */
export const ROLLOUTS_COMM = 'joylab.rollouts';

/** View → kernel. */
export type RolloutsRequest = { id: number } & (
  | { method: 'runs' }
  | { method: 'run'; run: string }
  | { method: 'group'; run: string; step: number }
  | { method: 'rollout'; rollout: number }
  | { method: 'related'; rollout: number }
  | { method: 'search'; run: string; text: string }
  /** `every`: steps between two frames, 1 by default; `lines`: also which line of the program decided each step. */
  | { method: 'replay'; rollout: number; every?: number; lines?: boolean }
);

/** Kernel → view. Buffer 0 of a `replay` has its deflated frames. */
export type RolloutsAnswer = { id: number } & (
  | { result: RunSummary[] | RunData | RolloutRow[] | RolloutData | RelatedRollouts | FoundRollouts | ReplayData }
  | { error: string }
);

/** A run in a list. */
export interface RunSummary {
  run: string;
  /** Milliseconds since 1970. */
  started: number;
  model: string;
  environment: string | null;
  /** Steps that it has kept, and rollouts. */
  steps: number;
  rollouts: number;
  /** Mean reward of the last step, and the best reward of all; `null` where no function applied. */
  reward: number | null;
  best: number | null;
}

/** The mean reward of a step, one standard deviation below and above it. */
export interface StepSummary {
  step: number;
  rollouts: number;
  mean: number | null;
  low: number | null;
  high: number | null;
}

/** A run. */
export interface RunData extends RunSummary {
  settings: Record<string, unknown>;
  /** Names of the reward functions of the newest step. */
  functions: string[];
  history: StepSummary[];
  /** TRL's metrics, an entry for each logged step. */
  log: Array<Record<string, number>>;
}

/** A rollout in its step. */
export interface RolloutRow {
  id: number;
  step: number;
  /** Its place in the step, and the group that it belongs to, from 0. */
  position: number;
  group: number;
  /** The weighted sum of its rewards; `null` where no function applies. */
  reward: number | null;
  advantage: number;
  /** By the reward functions' names. */
  rewards: Record<string, number | null>;
  /** Return and steps of its episode, and how that ended; `null` where none was played. */
  return: number | null;
  steps: number | null;
  ending: string | null;
  /** Its program, or what it wrote in place of one: the first lines. */
  summary: string;
  hasProgram: boolean;
  /** Tokens of the completion. */
  tokens: number;
  /** ID of the program that it is an edit of. */
  parent?: number;
}

/** Rollouts that a rollout is best compared with. */
export interface RelatedRollouts {
  /** The first one of its run that wrote the program which it is an edit of; `null` where none is kept. */
  parent: RolloutRow | null;
  /** The best one of its run. */
  best: RolloutRow | null;
}

/** What a search has found: the rollouts of a step, or those whose program or ending has all words, the best first. */
export interface FoundRollouts {
  rows: RolloutRow[];
  /** Whether there may be more: a search by words ends after a while. */
  more: boolean;
}

/** A rollout with all that is kept of it. */
export interface RolloutData extends RolloutRow {
  run: string;
  prompt: string;
  completion: string;
  code: string | null;
  /** The program that it is an edit of, and its expected fitness before. */
  parentProgram: { id: number; worth: number; code: string } | null;
  weights: Record<string, number>;
  /** The completion in tokens; `logprobs`, in nats, are not known where it was sampled elsewhere. */
  completionTokens: { texts: string[]; logprobs: number[] | null };
  /** Why its program did not play, or how its episode ended, in words. */
  notes: string[];
  /** What reward functions added to the table of completions. */
  extra: Record<string, unknown>;
  /** Other rollouts of its step with the same program. */
  twins: number;
  /** The rewards of the environment over the episode. */
  episode: { seed: number; rewards: number[]; actions: number[]; actionNames: string[] } | null;
}

/** An episode that was played again. */
export interface ReplayData {
  episode: EpisodeData;
  /** Named state, a column per variable: entry i is what the strategy saw before action i, the last one the end. */
  states: Record<string, number[]>;
  /** Line of the program that decided each action, from 1; 0 where none is known. */
  lines: number[] | null;
  /** What the lines cannot tell, in words. */
  note?: string;
}
