import type { ReferenceReturns } from '../environments/reference';
import type { Episode } from '../episodes/episode';
import type { CodeProblem } from '../strategy/check';

/** A completion to score. Every field is plain data. */
export interface Sample {
  /** The prompt as text. */
  prompt: string;
  /** The completion as text. */
  completion: string;
  completionIds: number[];
  /** The strategy's source, or `null` where none could be extracted. */
  code: string | null;
  /** Findings of `checkCode`; empty when the code is clean or there is none. */
  problems: CodeProblem[];
  /** The episode the strategy played, or `null` where none was played (no code, a problem, or no environment). */
  episode: Episode | null;
  /**
   * Returns of chance, constant actions and a human in its environment, from
   * `referenceReturns(env)`: the scale of `normalizedReturn`. `null` where they cannot
   * be measured; `undefined` where they were not requested.
   */
  reference?: ReferenceReturns | null;
  /**
   * Why the strategy could not be played, where the environment failed: no reward
   * function is called then, and the sample is not trained on.
   */
  environmentError?: string;
  /**
   * With refinement: the program that the prompt asked to edit, with the
   * episode that it played from the same start; `null` where there was none.
   */
  parent?: SampleParent | null;
  /**
   * With refinement: ID of the earlier program with the same source. The sample does not
   * play again, and no reward function is called.
   */
  duplicateOf?: number;
  /** Training step that made the sample. */
  step: number;
}

/** The program that a sample is an edit of. */
export interface SampleParent {
  id: number;
  code: string;
  /** Its expected fitness before this step: the weighted sum of all reward functions. */
  worth: number;
  /** Its episode from the sample's start; `null` where the environment failed. */
  episode: Episode | null;
}

/**
 * Returns whether a sample has no played episode, or one that failed: no function, one
 * that is not allowed, or one that broke its episode off.
 */
export function didNotPlay({
  episode,
  environmentError,
  duplicateOf,
}: Pick<Sample, 'episode' | 'environmentError' | 'duplicateOf'>): boolean {
  return environmentError === undefined && duplicateOf === undefined && (!episode || episode.failed);
}

/** Properties beside the sample that a reward function may use, by TRL's names in camelCase. */
export interface RewardContext {
  /** State of the training run; `null` outside of one. */
  trainerState: { readonly globalStep: number; readonly maxSteps: number } | null;
  /** Adds a column to the table of completions (`logCompletions`): the value of this sample. */
  logExtra(column: string, value: unknown): void;
  /** Adds a metric to the log: the mean of the values of all samples. */
  logMetric(name: string, value: number): void;
}

/**
 * The argument of a reward function: the sample, the columns that its row of the data
 * set has beside the prompt, and {@link RewardContext}. function correct({ completion,
 * answer }: RewardInput<{ answer: string }>) { return
 * Number(completion.includes(answer)); }
 */
export type RewardInput<Columns extends object = {}> = Sample & Columns & RewardContext;

/**
 * Returns the reward of one sample, a finite number, or a promise of it. `null` means
 * "does not apply": the function is left out of the sample's sum, as in TRL.
 */
export type RewardFunction = {
  // Declared as a method, so that functions of samples with columns are reward functions, too.
  score(sample: RewardInput): number | null | Promise<number | null>;
}['score'];
