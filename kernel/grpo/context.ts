import type { RolloutEnvironment } from '../environments/environment';
import type { ReferenceReturns } from '../environments/reference';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import type { RecentRollouts } from '../rewards/recent';
import type { LiveView } from '../episodes/live';
import type { RewardContext, Sample } from '../rewards/sample';
import type { WeightedReward } from '../rewards/scoring';
import type { ResolvedConfig } from './config';
import type { Fresh } from './rollouts/generations';
import type { Prompt, PromptSource } from './rollouts/prompts';

/** The parts of a run that a step, or an evaluation, uses. They may change between two steps. */
export interface StepContext {
  model: CausalLM;
  tokenizer: Tokenizer;
  /** The environment that strategies play; `null`: completions are scored as text. */
  env: RolloutEnvironment | null;
  /** Returns of random and of constant actions there; `null` when they cannot be measured, undefined without `measureReference`. */
  reference?: ReferenceReturns | null;
  config: ResolvedConfig;
  prompts: PromptSource;
  /** The first prompt, for the samples of programs that play again. */
  prompt: Pick<Prompt, 'text' | 'columns'>;
  /** Returns the reward functions as they are now: a replaced one counts from then on. */
  rewards(): WeightedReward[];
  /** Keeps scored rollouts, for functions that replace others. */
  recentRollouts: RecentRollouts;
  /** The step of the samples, from 1. */
  step: number;
  /** Tokens of prompts and completions before the step. */
  tokensSeen: number;
  trainerState: RewardContext['trainerState'];
  /** Returns how many episodes frames are captured of, at most: by who looks at that moment. None by default. */
  frames?(): number;
  /** Shows the samples of a step while they play, each a source, `null` where it does not play. */
  live?(samples: readonly Sample[], codes: readonly (string | null)[]): LiveView;
  /** Called when a generation of the step was scored, before it is learned from. */
  onScored?(generation: Fresh): void;
  /** Secret of the run, from which environment seeds and the strategies' random numbers follow. */
  secret: string;
  signal: AbortSignal;
}
