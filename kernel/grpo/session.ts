import { RewardRegistry } from '../rewards/registry';
import type { GRPOCellRun } from './cell';

/**
 * What trainers share: reward functions, the rollouts that these have scored
 * lately, and the run that a `@grpo` cell goes on with. Trainers of two sessions
 * know nothing of one another.
 */
export class Session {
  /** The reward functions, with the recent rollouts that they have scored. */
  readonly rewardRegistry = new RewardRegistry();
  /** The newest run of a `@grpo` cell; `null`: there was none. */
  newestRun: GRPOCellRun | null = null;
}

/** The session of the notebook: what its cells use. */
export const notebook = new Session();

/** The reward functions of the notebook: what `@reward` cells register and `@grpo` cells train on. */
export const { rewardRegistry } = notebook;
