import type { Sample } from './sample';

/*
 * Ready reward functions. Each takes a sample, and options where it has a
 * scale, so that it serves as it is or inside a function of your own:
 *
 *   rewardFuncs: [functionWorks, noCheating, legalActions]
 *   function wins(sample: Sample) { return winLoss(sample, { target: 20 }); }
 */

/**
 * Is there a function, and does it run? +1 where it runs, −0.5 where it does
 * not compile, throws, hangs or takes too much memory, −2 where no function
 * could be extracted from the completion. Rewards the right format from the
 * first step on, when the other rewards are still 0.
 */
export function functionWorks({ code, problems, episode }: Sample): number {
  if (code === null) return -2;
  if (problems.some(({ kind }) => kind === 'syntax')) return -0.5;
  if (episode?.failed && episode.end.reason !== 'invalid_action') return -0.5;
  return 1;
}

/**
 * Does the code keep to the rules? +1 where it is clean, −20 where it reaches
 * for something forbidden (so that it does not pay even once), −1 where there
 * is no code.
 */
export function noCheating({ code, problems }: Sample): number {
  if (code === null) return -1;
  return problems.some(({ kind }) => kind === 'forbidden') ? -20 : 1;
}

/**
 * Does it return actions that exist? +1 for an episode of legal actions only,
 * −1 where one was invalid. `null` where nothing was played.
 */
export function legalActions({ episode }: Sample): number | null {
  if (!episode) return null;
  return episode.end.reason === 'invalid_action' ? -1 : 1;
}

/**
 * The episode's return times `scale` (1 by default); `null` where nothing was
 * played. Where the strategy broke the episode off (it threw, hung, returned
 * something that is no action) it is `failed`, 0 by default, or the return
 * where that is worse: in games with negative scores, such as Pong, say less
 * than the worst.
 */
export function episodeReturn({ episode }: Sample, { scale = 1, failed = 0 }: { scale?: number; failed?: number } = {}): number | null {
  if (!episode) return null;
  return episode.failed ? Math.min(failed, episode.return * scale) : episode.return * scale;
}

/** The part of `steps` (1,000 by default) that the episode lasted, 0 to 1; 0 where the strategy broke it off, `null` where nothing was played. */
export function survives({ episode }: Sample, { steps = 1000 }: { steps?: number } = {}): number | null {
  if (!episode) return null;
  return episode.failed ? 0 : Math.min(1, episode.steps / steps);
}

/**
 * Does it choose quickly? 1 for a strategy that takes up to
 * `millisecondsPerStep` (1 by default) of processor time per step; beyond that
 * the part of its time that would have been enough, so that twice the time
 * earns half. 0 where it broke the episode off, `null` where nothing was
 * played.
 *
 * #### Notes
 * The time of a strategy is never twice the same. Leave room between what is
 * usual and the limit: then the reward is, and with it the run.
 */
export function quick({ episode }: Sample, { millisecondsPerStep = 1 }: { millisecondsPerStep?: number } = {}): number | null {
  if (!(millisecondsPerStep > 0)) throw new RangeError(`quick: millisecondsPerStep is a number above 0, not ${millisecondsPerStep}.`);
  if (!episode || episode.strategySeconds === undefined) return null;
  if (episode.failed) return 0;
  return Math.min(1, (millisecondsPerStep * Math.max(1, episode.steps)) / (1000 * episode.strategySeconds));
}

/** Options of {@link winLoss}. */
export interface WinLossOptions {
  /** Return from which on the episode is won. By default any return above 0. */
  target?: number;
  /** The worst return to expect: it earns the full `loss`. 0 by default; in games with negative scores, such as Pong (−21), say so. */
  worst?: number;
  /** Reward of a win, 1 by default. */
  win?: number;
  /** Reward of the worst loss, −1 by default. */
  loss?: number;
}

/**
 * Win or lose: a reward that works in every environment whose reward grows
 * with success. An episode that reaches `target` earns `win`. Another loses,
 * but a near miss loses less: from `loss` at the `worst` return towards 0 at
 * the target, so that a group of losers still shows which way is better. No
 * episode, or one that the strategy broke off (it threw, hung, returned
 * something that is no action), is the worst loss, whatever its score.
 */
export function winLoss({ episode }: Sample, options: WinLossOptions = {}): number {
  const { target = Number.MIN_VALUE, worst = 0, win = 1, loss = -1 } = options;
  if (worst >= target) throw new RangeError(`winLoss: worst (${worst}) must be below target (${target}).`);
  if (!episode || episode.failed) return loss;
  if (episode.return >= target) return win;
  const progress = Math.max(0, (episode.return - worst) / (target - worst));
  return loss * (1 - progress);
}

/** Options of {@link strategySucceeds}. */
export interface StrategySucceedsOptions {
  /** Return that counts as success. */
  target: number;
  /** Reward of success, 20 by default. */
  success?: number;
  /** Reward of an episode that runs to its end with return 0, 2 by default. */
  runs?: number;
  /** Reward where the strategy ran out of time or memory, −1 by default. */
  timeout?: number;
  /** Reward where it threw or returned something that is no action, −3 by default. */
  raises?: number;
}

/**
 * The scale of the public 2048 notebook, for any environment: 20 on reaching
 * `target`, 2 for running, −1 for a timeout, −3 for an exception, 0 where
 * nothing was played. Unlike there, what lies between running and success is
 * paid in proportion to the return, so that a long good episode is worth more
 * than dying on the first move.
 */
export function strategySucceeds({ episode }: Sample, options: StrategySucceedsOptions): number {
  const { target, success = 20, runs = 2, timeout = -1, raises = -3 } = options ?? {};
  if (!(target > 0)) throw new RangeError('strategySucceeds: say from which return on an episode succeeds: { target: 20 }.');
  if (!episode) return 0;
  if (episode.end.reason === 'timeout' || episode.end.reason === 'memory') return timeout;
  if (episode.failed) return raises;
  return runs + (success - runs) * Math.min(1, Math.max(0, episode.return / target));
}
