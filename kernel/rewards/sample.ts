import type { ReferenceReturns } from '../environments/reference';
import type { Episode } from '../episodes/episode';
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
  /** Findings of `checkCode`; empty when the code is clean or there is none. */
  problems: CodeProblem[];
  /** The episode the strategy played, or `null` where none was played (no code, or a problem). */
  episode: Episode | null;
  /**
   * Returns of chance, constant actions and a human where it was played, from
   * `referenceReturns(env)`: the scale of `normalizedReturn`. `null` where
   * that cannot be measured; left out where nothing was asked for it.
   */
  reference?: ReferenceReturns | null;
  /**
   * Why the strategy could not be played, where the environment failed: then
   * no reward function is asked, and nothing is learned from the sample.
   */
  environmentError?: string;
  /**
   * With refinement: the program that the prompt asked to edit, with the
   * episode that it played from the same start; `null` where there was none.
   */
  parent?: SampleParent | null;
  /**
   * With refinement: ID of the program whose source it is, where that was
   * played before. It does not play again, and no reward function is asked.
   */
  duplicateOf?: number;
  /** Training step that made the sample. */
  step: number;
}

/** The program that a sample is an edit of. */
export interface SampleParent {
  id: number;
  code: string;
  /** The fitness expected of it before this step: the weighted sum of all reward functions. */
  worth: number;
  /** Its episode from the sample's start; `null` where the environment failed. */
  episode: Episode | null;
}

/** Returns whether a strategy should have been played and was not, or broke its episode off: no function, one that is not allowed, or one that failed. */
export function didNotPlay({
  episode,
  environmentError,
  duplicateOf,
}: Pick<Sample, 'episode' | 'environmentError' | 'duplicateOf'>): boolean {
  return environmentError === undefined && duplicateOf === undefined && (!episode || episode.failed);
}

/** Properties beside the sample that a reward function may use, by TRL's names in camelCase. */
export interface RewardContext {
  /** State of the training run; `null` where none is under way. */
  trainerState: { readonly globalStep: number; readonly maxSteps: number } | null;
  /** Adds a column to the table of completions (`logCompletions`): the value of this sample. */
  logExtra(column: string, value: unknown): void;
  /** Adds a metric to the log: the mean of the values of all samples. */
  logMetric(name: string, value: number): void;
}

/**
 * All that a reward function is given: the sample, the columns that its row of
 * the data set has beside the prompt, and {@link RewardContext}.
 *
 *   function correct({ completion, answer }: RewardInput<{ answer: string }>) { return Number(completion.includes(answer)); }
 */
export type RewardInput<Columns extends object = {}> = Sample & Columns & RewardContext;

/**
 * Scores one sample. `null` means "does not apply": the function is left out
 * of the sample's sum, as in TRL. May be async.
 */
export type RewardFunction = {
  // Declared as a method, so that functions of samples with columns are reward functions, too.
  score(sample: RewardInput): number | null | Promise<number | null>;
}['score'];
