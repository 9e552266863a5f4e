import {
  checked,
  flag,
  nullable,
  number,
  oneOf,
  resolveSettings,
  whole,
  type Declaration,
  type Given,
  type Resolved,
} from '../../common/settings';
import { OBJECTIVES } from './objective';

const settings = {
  /** Islands of the program database: programs get from one to another only by migration. 2 by default. */
  numIslands: whole(2, { from: 1 }),
  /** Programs in the archive, on all islands together, at most: few, so that those that are edited are good. 24 by default. */
  archiveSize: whole(24, { from: 1 }),
  /** Generations between two migrations of the best programs to the next island. 10 by default. */
  migrationInterval: whole(10, { from: 1 }),
  /** How much parents of high rank are preferred: the best fraction p of an island is drawn with probability p^(1/selectionPressure); 1: not at all. 5 by default. */
  selectionPressure: number(5, { from: 1 }),
  /** Fraction of the groups that write programs from nothing. 0.25 by default. */
  freshShare: number(0.25, { from: 0, to: 1 }),
  /** Other good programs, of any island, that a prompt shows beside the parent, so that an edit may use parts of them. 0 by default. */
  inspirations: whole(0, { from: 0 }),
  /** Episodes of a generation in which promising programs play again, beside the parents' replays. Episodes that duplicates save come on top. 2 by default. */
  replays: whole(2, { from: 0 }),
  /**
   * What an edit is rewarded for, within the group of its parent:
   * - `'mean'`: its gain over the parent, as in plain GRPO;
   * - `'positive'`: its gain if that is above 0, else 0;
   * - `'rank'`: its rank, with weights for the upper half only;
   * - `'max@k'`: what it adds to the best of `bestOf` edits;
   * - `'entropic'`: exp(gain / temperature).
   * 'max@k' by default. An edit that changes nothing has the reward of the worst one, less `unchangedPenalty`.
   */
  objective: oneOf('max@k', OBJECTIVES),
  /** With 'rank', 'max@k' and 'entropic', all edits that are no better than their parent count as equal. `true` by default. */
  aboveParent: flag(true),
  /** Edits among which the best counts, for 'max@k'; as many as the group has, at most. 4 by default. */
  bestOf: whole(4, { from: 1 }),
  /** Temperature of 'entropic', in standard deviations of the group's gains. 0.5 by default. */
  entropicTemperature: number(0.5, { above: 0 }),
  /** How far below the worst edit one is that does not play to its end, in standard deviations of the group. 1 by default. */
  failurePenalty: number(1, { from: 0 }),
  /** The same of an edit that changes nothing, or whose program is known: more than 0 makes repetitions rarer. 0 by default. */
  unchangedPenalty: number(0, { from: 0 }),
  /**
   * Good programs of earlier steps that each step learns from once more, as in self-imitation learning: half of them as
   * answers to the environment's prompt, half as edits of their parents; 0: none. 8 by default.
   */
  imitations: whole(8, { from: 0 }),
  /** Advantage of an imitated program; the advantages of a group have a standard deviation of about 1. 1 by default. */
  imitationAdvantage: number(1, { above: 0 }),
  /** Episodes that choose the winner when the run ends, on environment seeds of their own; 0: the program of the highest expected fitness wins. 80 by default. */
  validationEpisodes: whole(80, { from: 0 }),
  /** Episodes of the run, at most, with replays and validation: it ends before a step that would exceed them. `null` by default: `maxSteps` ends it; 1,920 when neither is given. */
  maxEpisodes: nullable(whole(null, { from: 1 })),
  /** Sources of programs to start from, such as a strategy of your own. `[]` by default. */
  initialPrograms: checked<string[], string[]>(
    [],
    'a list of sources, each with a function strategy(state)',
    (v) => Array.isArray(v) && v.every((code) => typeof code === 'string' && /\bstrategy\b/.test(code)),
  ),
};

/** Settings of {@link GRPOConfig.refinement}: how programs are kept, chosen and edited. */
export interface RefinementConfig extends Given<typeof settings> {}

/** Every setting with its value. */
export type ResolvedRefinement = Resolved<typeof settings>;

/** The settings of a refinement. */
export const refinementDeclaration: Declaration<typeof settings> = {
  owner: 'GRPOConfig.refinement',
  example: '{ archiveSize: 24, freshShare: 0.25 }',
  settings,
  elsewhere: {
    parentsPerStep: 'each group that is not fresh has a parent: see generationBatchSize, numGenerations and freshShare',
  },
};

/**
 * Returns the settings with their defaults; `null` when there is no refinement.
 *
 * @throws TypeError for an unknown name or a wrong value, with the valid ones
 */
export function resolveRefinement(given: boolean | RefinementConfig | null): ResolvedRefinement | null {
  if (given === null || given === false) return null;
  const values = resolveSettings(refinementDeclaration, given === true ? {} : given);
  const { numIslands, archiveSize } = values;
  if (archiveSize < numIslands)
    throw new TypeError(
      `GRPOConfig.refinement: archiveSize = ${archiveSize} is less than numIslands = ${numIslands}: each island needs a place.`,
    );
  return values;
}
