import type { RolloutEnvironment } from '../environments/environment';
import type { ReferenceReturns } from '../environments/reference';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import type { RecentRollouts } from '../rewards/recent';
import type { RewardContext } from '../rewards/sample';
import type { WeightedReward } from '../rewards/scoring';
import type { ResolvedConfig } from './config';
import type { Prompt, PromptSource } from './rollouts/prompts';

/** The parts of a run as a step, or an evaluation, uses them. They may change between two steps. */
export interface StepContext {
  model: CausalLM;
  tokenizer: Tokenizer;
  /** The environment that strategies play; `null`: completions are scored as text. */
  env: RolloutEnvironment | null;
  /** Returns of chance there; `null` where they cannot be measured, undefined where nobody asks. */
  reference?: ReferenceReturns | null;
  config: ResolvedConfig;
  prompts: PromptSource;
  /** The first prompt: samples of programs that play again have it. */
  prompt: Pick<Prompt, 'text' | 'columns'>;
  /** Returns the reward functions as they are now: one that is replaced counts from then on. */
  rewards(): WeightedReward[];
  /** Keeps scored rollouts, for functions that take the places of others. */
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
