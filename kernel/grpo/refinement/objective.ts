import { isConstant, mean, std } from '../../common/statistics';
import { centred } from '../advantages';

/** Names of objectives, see `RefinementConfig.objective`. */
export type ObjectiveName = 'mean' | 'positive' | 'rank' | 'max@k' | 'entropic';
/** All objectives. */
export const OBJECTIVES: readonly ObjectiveName[] = ['mean', 'positive', 'rank', 'max@k', 'entropic'];

/** A child as an objective sees it. */
export interface ChildOutcome {
  /**
   * `played`: it has a behaviour of its own; `unchanged`: it does what its
   * parent does, or its source is known; `failed`: there is no program that
   * plays to its end; `lost`: the environment failed, so that it does not count.
   */
  status: 'played' | 'unchanged' | 'failed' | 'lost';
  /** Fitness less that of the parent; of a fresh program, less the mean of its group. `null` when it has none. */
  gain: number | null;
}

/** The children of one parent, or of none. */
export interface OutcomeGroup {
  fresh: boolean;
  children: readonly ChildOutcome[];
}

/** The settings that an objective depends on. */
export interface ObjectiveSettings {
  objective: ObjectiveName;
  aboveParent: boolean;
  bestOf: number;
  entropicTemperature: number;
  failurePenalty: number;
  unchangedPenalty: number;
  /** The divisor of advantages, as in GRPO. */
  scaleRewards: 'group' | 'batch' | 'none';
}

/**
 * Returns the advantages of the children of a generation, group after group.
 * They depend on outcomes and settings alone, so that those of an earlier
 * generation can be computed again when more is known of it.
 *
 * #### Notes
 * In a search the best of many counts, and most edits are worse than their
 * parent: with the mean as the objective, the policy learns to change nothing.
 * So an edit that changes nothing has the value of the worst one that plays, or less,
 * and one that fails has less.
 */
export function searchAdvantages(groups: readonly OutcomeGroup[], settings: ObjectiveSettings): number[] {
  const utilities = groups.map((group) => utilitiesOf(group, settings));
  const batch = utilities.flat();
  return utilities.flatMap((group) => centred(group, { group, batch, none: null }[settings.scaleRewards]));
}

/** Returns the utility of each child of a group to the search; `null`: it does not count. */
function utilitiesOf({ fresh, children }: OutcomeGroup, settings: ObjectiveSettings): Array<number | null> {
  const { objective, aboveParent } = settings;
  const values = valuesOf(children, !fresh && objective !== 'mean' && (aboveParent || objective === 'positive'));
  const present = values.flatMap((value, i) => (value === null ? [] : [i]));
  const utilities = utility(
    present.map((i) => values[i]!),
    settings,
  );
  const result = values.map((): number | null => null);
  present.forEach((i, k) => (result[i] = utilities[k]));
  const worst = utilities.length > 0 ? Math.min(...utilities) : 0;
  const spread = std(utilities) > 0 ? std(utilities) : 1;
  return result.map((value, i) => {
    const { status } = children[i];
    if (status === 'failed') return worst - settings.failurePenalty * spread;
    return status === 'unchanged' && value !== null ? value - settings.unchangedPenalty * spread : value;
  });
}

/** Returns the gain of each child that plays; for one that is unchanged, the worst of these; else `null`. */
function valuesOf(children: readonly ChildOutcome[], aboveParent: boolean): Array<number | null> {
  const floor = aboveParent ? 0 : -Infinity;
  const gains = children.map(({ status, gain }) =>
    status === 'played' && gain !== null ? Math.max(floor, gain) : null,
  );
  const present = gains.filter((gain) => gain !== null);
  const worst = aboveParent ? 0 : Math.min(0, ...present);
  return children.map(({ status }, i) => (status === 'unchanged' ? worst : gains[i]));
}

/** Returns the utilities of the values of a group. */
function utility(values: readonly number[], { objective, bestOf, entropicTemperature }: ObjectiveSettings): number[] {
  switch (objective) {
    case 'mean':
    case 'positive':
      return [...values];
    case 'rank':
      return rankWeights(values);
    case 'max@k':
      return maxAtK(values, bestOf);
    case 'entropic':
      return entropicWeights(values, entropicTemperature);
  }
}

/** Returns weights by rank, as in CMA-ES: logarithmic for the upper half, 0 below; equal values have the mean of theirs. */
export function rankWeights(values: readonly number[]): number[] {
  const order = [...values].sort((a, b) => b - a);
  const weights = order.map((_, rank) => Math.max(0, Math.log(values.length / 2 + 1) - Math.log(rank + 1)));
  return values.map((value) => mean(weights.filter((_, rank) => order[rank] === value)));
}

/**
 * Returns what each of n values adds to the expected maximum of `k` of them: the
 * mean over all sets of k − 1 others of max(set and value) − max(set). Its
 * product with the score function is an unbiased estimate of the gradient of the
 * expected best of k samples, as the second term does not depend on the value.
 * For k = 1 it is the value itself.
 */
export function maxAtK(values: readonly number[], k: number): number[] {
  const count = values.length;
  const size = Math.min(k, count);
  if (size <= 1) return [...values];
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const result = new Array<number>(count).fill(0);
  order.forEach((index, position) => {
    // The largest of the others is the one at `below`: all of the set's other members come before it.
    for (let below = size - 2; below < position; below++) {
      const sets = chooseRatio(below, size - 2, count - 1, size - 1);
      result[index] += sets * (values[index] - values[order[below]]);
    }
  });
  return result;
}

/** Returns C(a, b) / C(n, m), without overflow. */
function chooseRatio(a: number, b: number, n: number, m: number): number {
  return Math.exp(logChoose(a, b) - logChoose(n, m));
}

function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
  return sum;
}

/** Returns exp(value / temperature) over its mean, the temperature in standard deviations of the values. */
export function entropicWeights(values: readonly number[], temperature: number): number[] {
  if (values.length === 0 || isConstant(values)) return values.map(() => 1);
  const highest = Math.max(...values);
  const weights = values.map((value) => Math.exp((value - highest) / (temperature * std(values))));
  const centre = mean(weights);
  return weights.map((weight) => weight / centre);
}
