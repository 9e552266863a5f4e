import type { RolloutEnvironment } from '../environments/environment';
import type { ReferenceReturns } from '../environments/reference';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer';
import type { RecentRollouts } from '../rewards/recent';
import type { RewardContext } from '../rewards/sample';
import type { WeightedReward } from '../rewards/scoring';
import type { ResolvedConfig } from './config';
import type { PromptSource } from './prompts';

/** What a step, or an evaluation, is made with. It may change between two steps of a run. */
export interface StepContext {
  model: CausalLM;
  tokenizer: Tokenizer;
  /** Where strategies play; `null`: completions are scored as text. */
  env: RolloutEnvironment | null;
  /** What chance gets there; `null` where it cannot be measured, undefined where nobody asks. */
  reference?: ReferenceReturns | null;
  config: ResolvedConfig;
  prompts: PromptSource;
  /** Returns the reward functions as they are now: one that is replaced counts from then on. */
  rewards(): WeightedReward[];
  /** Where scored rollouts are kept, for functions that take the places of others. */
  recentRollouts: RecentRollouts;
  /** The step as samples carry it: counted from 1. */
  step: number;
  /** Tokens of prompts and completions before the step. */
  tokensSeen: number;
  trainerState: RewardContext['trainerState'];
  /** Episodes to capture frames of, at most. */
  frames: number;
  /** Secret of the run, from which starts and the strategies' random numbers follow. */
  secret: string;
  signal: AbortSignal;
}
