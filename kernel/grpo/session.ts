import { RewardRegistry } from '../rewards/registry';
import type { GRPOCellRun } from './cell';

/**
 * What trainers share: reward functions, the recent rollouts that these have
 * scored, and the run that a `@grpo` cell continues. Trainers of different
 * sessions are independent.
 */
export class Session {
  /** The reward functions, with the recent rollouts that they have scored. */
  readonly rewardRegistry = new RewardRegistry();
  /** The newest run of a `@grpo` cell; `null`: there is none. */
  newestRun: GRPOCellRun | null = null;
}

/** The session of the notebook, which its cells use. */
export const notebook = new Session();

/** The reward functions of the notebook: `@reward` cells register them, and `@grpo` cells train with them. */
export const { rewardRegistry } = notebook;
