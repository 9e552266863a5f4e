import { RewardRegistry } from '../rewards/registry';
import type { GRPOCellRun } from './cell';

/**
 * The things that trainers share: reward functions, the rollouts that these have
 * scored lately, and the run that a `@grpo` cell goes on with. Trainers of two
 * sessions know nothing of one another.
 */
export class Session {
  /** The reward functions, with the recent rollouts that they have scored. */
  readonly rewardRegistry = new RewardRegistry();
  /** The newest run of a `@grpo` cell; `null`: there was none. */
  newestRun: GRPOCellRun | null = null;
}

/** The session of the notebook: its cells use this one. */
export const notebook = new Session();

/** The reward functions of the notebook: what `@reward` cells register and `@grpo` cells train on. */
export const { rewardRegistry } = notebook;
