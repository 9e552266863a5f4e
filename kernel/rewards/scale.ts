import type { ReferenceReturns } from '../environments/reference';

/*
 * What returns are worth in an environment, from what chance, constant actions
 * and a human get there.
 */

/**
 * The return that counts as 1 where chance counts as 0: a human's, where one is
 * known and better than chance and than every constant action (humans played
 * whole games, so that in short episodes of a game with points against you
 * chance may be better). Else what is clearly better than chance: as far above
 * it as the best constant action, or as episodes of chance lie from each other,
 * whichever is more.
 */
export function topReturn({ chance, constants, human }: ReferenceReturns): number {
  const best = Math.max(chance.mean, ...constants.map(({ mean }) => mean));
  if (human && human.mean > best) return human.mean;
  // Where chance never gets anything, one reward is much.
  return chance.mean + (Math.max(best - chance.mean, chance.std) || 1);
}

/** The least that chance or a constant action gets. */
export function worstReturn({ chance, constants }: ReferenceReturns): number {
  return Math.min(chance.mean, ...constants.map(({ mean }) => mean));
}
