import type { Episode } from '../rollout/episode';
import type { CodeProblem } from '../strategy/check';

/** A scored completion: what a reward function is given. Every field is plain data. */
export interface Sample {
  /** The prompt as text. */
  prompt: string;
  /** The completion as text. */
  completion: string;
  completionIds: number[];
  /** The strategy's source, or `null` where none could be extracted. */
  code: string | null;
  /** What `checkCode` found; empty when the code is clean or there is none. */
  problems: CodeProblem[];
  /** The episode the strategy played, or `null` where none was played (no code, or a problem). */
  episode: Episode | null;
  /** Training step that made the sample. */
  step: number;
}

/**
 * Scores one sample. `null` means "does not apply": the function is left out
 * of the sample's sum, as in TRL. May be async.
 */
export type RewardFunction = (sample: Sample) => number | null | Promise<number | null>;
