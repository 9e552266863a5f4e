import type { ReferenceReturns } from '../environments/reference';
import type { Sample } from './sample';

/*
 * Ready reward functions. Each takes a sample, and options where it has a
 * scale, so that it serves as it is or inside a function of your own:
 *
 *   rewardFuncs: [functionWorks, noCheating, legalActions]
 *   function wins(sample: Sample) { return winLoss(sample, { target: 20 }); }
 *
 * None gives more to what does not play (no function, a forbidden one, one that
 * breaks off its episode) than to what plays and loses. Where a reward has no
 * least value, as the return itself, that holds as far as `reference` knows how
 * little can be got; the trainer sees to the rest (`capUnplayed`).
 */

/**
 * Rewards a function that runs: +1 where it runs, −0.5 where it does
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
 * Rewards code that keeps to the rules: +1 where it is clean, −20 where it uses
 * something forbidden (so that it never pays), −1 where there is no code.
 */
export function noCheating({ code, problems }: Sample): number {
  if (code === null) return -1;
  return problems.some(({ kind }) => kind === 'forbidden') ? -20 : 1;
}

/**
 * Rewards actions that exist: +1 for an episode of legal actions only,
 * −1 where one was invalid. `null` where nothing was played.
 */
export function legalActions({ episode }: Sample): number | null {
  if (!episode) return null;
  return episode.end.reason === 'invalid_action' ? -1 : 1;
}

/** Argument of reward functions of returns: a sample, or its episode with the reference returns of its environment. */
export type ScoredEpisode = Pick<Sample, 'episode' | 'reference'>;

/** Options of {@link normalizedReturn}. */
export interface NormalizedReturnOptions {
  /** Return that counts as 0, instead of what chance gets. */
  zero?: number;
  /** Return that counts as 1, instead of a human's. */
  one?: number;
}

/** Reward of {@link normalizedReturn} where nothing was played. */
const LEAST = -1;

/**
 * Rewards how well it plays, in any environment. 0: as well as chance. 1: as well as a
 * human, or where no human's return is known, clearly better than chance: as far above
 * it as the best constant action, or as chance's own standard deviation. From 0 on the
 * reward is proportional to the return; below it falls ever more slowly towards −1,
 * which it never reaches. No episode, or one that the strategy broke off (it threw,
 * hung, returned something that is no action): −1.
 *
 * #### Notes
 * - With R for (return − zero) / (one − zero): R from 0 on, else R / (1 − R). So it
 *   grows with the return everywhere, and what does not play never gets more than what
 *   plays and loses.
 * - `zero` and `one` come from `sample.reference`, which a trainer with `env`
 *   measures. Elsewhere: `normalizedReturn({ episode, reference: await
 *   referenceReturns(env) })`.
 *
 * @throws Error when neither `reference` nor the options give the scale; RangeError
 *   when `one` is not above `zero`
 */
export function normalizedReturn({ episode, reference }: ScoredEpisode, options: NormalizedReturnOptions = {}): number {
  if (!episode || episode.failed) return LEAST;
  const zero = options.zero ?? measured(reference, 'normalizedReturn', '{ zero: 0, one: 30 }').chance.mean;
  const one = options.one ?? topReturn(measured(reference, 'normalizedReturn', '{ zero: 0, one: 30 }'));
  if (!(one > zero)) throw new RangeError(`normalizedReturn: one (${one}) must be above zero (${zero}).`);
  const share = (episode.return - zero) / (one - zero);
  return share >= 0 ? share : share / (1 - share);
}

function measured(reference: ReferenceReturns | null | undefined, name: string, example: string): ReferenceReturns {
  if (reference) return reference;
  const why =
    reference === null
      ? 'what chance gets here could not be measured'
      : 'the sample has no reference, which a trainer with env measures (referenceReturns) unless measureReference is false';
  throw new Error(`${name}: ${why}. Say the scale yourself: ${name}(sample, ${example}).`);
}

/**
 * Returns the episode's return times `scale` (1 by default). No episode, or one that
 * the strategy broke off (it threw, hung, returned something that is no action):
 * `failed`, or the scaled return where that is lower. `failed` is by default 0, or the
 * lowest return of chance and constant actions, scaled, where that is known
 * (`sample.reference`) and below 0. In games with negative scores, such as Pong, give
 * a lower one where it is not known.
 */
export function episodeReturn(
  { episode, reference }: ScoredEpisode,
  options: { scale?: number; failed?: number } = {},
): number {
  const { scale = 1, failed = scale * Math.min(0, reference ? worstReturn(reference) : 0) } = options;
  if (!episode) return failed;
  return episode.failed ? Math.min(failed, episode.return * scale) : episode.return * scale;
}

/**
 * Returns the fraction of `steps` (1,000 by default) that the episode lasted, 0 to 1;
 * 0 where the strategy broke it off, `null` where nothing was played.
 */
export function survives({ episode }: Sample, { steps = 1000 }: { steps?: number } = {}): number | null {
  if (!episode) return null;
  return episode.failed ? 0 : Math.min(1, episode.steps / steps);
}

/**
 * Rewards quick choices: 1 for a strategy that takes up to `millisecondsPerStep` (1 by
 * default) of processor time per step; beyond that the limit divided by its time, so
 * that twice the time earns half. 0 where it broke the episode off, `null` where
 * nothing was played.
 *
 * #### Notes
 * The time of a strategy is never twice the same. Leave room between the usual time
 * and the limit: then the reward, and with it the run, is reproducible.
 *
 * @throws RangeError when `millisecondsPerStep` is not above 0
 */
export function quick(
  { episode }: Sample,
  { millisecondsPerStep = 1 }: { millisecondsPerStep?: number } = {},
): number | null {
  if (!(millisecondsPerStep > 0))
    throw new RangeError(`quick: millisecondsPerStep is a number above 0, not ${millisecondsPerStep}.`);
  if (!episode || episode.strategySeconds === undefined) return null;
  if (episode.failed) return 0;
  return Math.min(1, (millisecondsPerStep * Math.max(1, episode.steps)) / (1000 * episode.strategySeconds));
}

/** Options of {@link winLoss}. */
export interface WinLossOptions {
  /**
   * Lowest return of a win. By default the one that {@link normalizedReturn} rewards
   * with 1; where no reference is known, any above 0.
   */
  target?: number;
  /**
   * Return that earns the full `loss`. By default the lowest of chance and constant
   * actions, where that is known and below the target, else 0.
   */
  worst?: number;
  /** Reward of a win, 1 by default. */
  win?: number;
  /** Reward of the worst loss, −1 by default. */
  loss?: number;
}

/**
 * Rewards winning, in every environment whose reward grows with success. An episode
 * that reaches `target` earns `win`. Another loses, but a near miss loses less: from
 * `loss` at the `worst` return towards 0 at the target, so that a group of losers
 * still shows which way is better. No episode, or one that the strategy broke off (it
 * threw, hung, returned something that is no action), earns `loss`, whatever its
 * score.
 *
 * @throws RangeError when `worst` is not below `target`
 */
export function winLoss({ episode, reference }: ScoredEpisode, options: WinLossOptions = {}): number {
  const { win = 1, loss = -1 } = options;
  const { target, worst } = span('winLoss', reference, options);
  if (!episode || episode.failed) return loss;
  if (episode.return >= target) return win;
  const progress = Math.max(0, (episode.return - worst) / (target - worst));
  return loss * (1 - progress);
}

/** Returns the worst return and the target: as given, else from the reference. */
function span(
  name: string,
  reference: ReferenceReturns | null | undefined,
  given: { target?: number; worst?: number },
): { target: number; worst: number } {
  const target = given.target ?? (reference ? topReturn(reference) : Number.MIN_VALUE);
  const least = reference ? worstReturn(reference) : 0;
  const worst = given.worst ?? (least < target ? least : 0);
  if (worst >= target) throw new RangeError(`${name}: worst (${worst}) must be below target (${target}).`);
  return { target, worst };
}

/** Options of {@link strategySucceeds}. */
export interface StrategySucceedsOptions {
  /** Lowest return that counts as success. By default the one that {@link normalizedReturn} rewards with 1. */
  target?: number;
  /** Return that earns `runs`. Default as in {@link winLoss}. */
  worst?: number;
  /** Reward of success, 20 by default. */
  success?: number;
  /** Reward of an episode that runs to its end with the worst return, 2 by default. */
  runs?: number;
  /** Reward where the strategy ran out of time or memory, −1 by default. */
  timeout?: number;
  /** Reward where it threw or returned something that is no action, −3 by default. */
  raises?: number;
}

/**
 * Rewards on the scale of the public 2048 notebook, in any environment: 20 on reaching
 * `target`, 2 for running, −1 for a timeout, −3 for an exception, 0 where nothing was
 * played. Unlike there, the reward between running and success is proportional to the
 * return, from the worst to the target, so that a long good episode earns more than
 * dying on the first move.
 *
 * @throws RangeError when there is neither `reference` nor `target`, or `worst` is not
 *   below `target`
 */
export function strategySucceeds({ episode, reference }: ScoredEpisode, options: StrategySucceedsOptions = {}): number {
  const { success = 20, runs = 2, timeout = -1, raises = -3 } = options;
  if (!reference && options.target === undefined)
    throw new RangeError('strategySucceeds: say from which return on an episode succeeds: { target: 20 }.');
  const { target, worst } = span('strategySucceeds', reference, options);
  if (!episode) return 0;
  if (episode.end.reason === 'timeout' || episode.end.reason === 'memory') return timeout;
  if (episode.failed) return raises;
  return runs + (success - runs) * Math.min(1, Math.max(0, (episode.return - worst) / (target - worst)));
}

/**
 * Returns the return that counts as 1 where chance counts as 0: a human's, where one
 * is known and better than chance and than every constant action (humans played whole
 * games, so that in short episodes of a game with negative points chance may be
 * better). Else what is clearly better than chance: as far above it as the best
 * constant action, or as chance's standard deviation, whichever is more.
 */
export function topReturn({ chance, constants, human }: ReferenceReturns): number {
  const best = Math.max(chance.mean, ...constants.map(({ mean }) => mean));
  if (human && human.mean > best) return human.mean;
  // Where chance never gets anything, one reward is much.
  return chance.mean + (Math.max(best - chance.mean, chance.std) || 1);
}

/** Returns the lowest mean return of chance and constant actions. */
export function worstReturn({ chance, constants }: ReferenceReturns): number {
  return Math.min(chance.mean, ...constants.map(({ mean }) => mean));
}
