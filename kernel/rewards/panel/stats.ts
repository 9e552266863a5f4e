import { chunks, isConstant, mean, std } from '../../common/statistics';
import type { RolloutBatch } from '../recent';
import type { Sample } from '../sample';

/** What a reward function did to the last rollouts. */
export interface RewardStats {
  mean: number;
  std: number;
  /** Number of rollouts that it applies to. */
  applies: number;
  /** Its part in the sum of all rewards, by magnitude: 0 to 1. */
  share: number;
  /** Its part in what tells the rollouts of a group apart, and so in the advantages: 0 to 1. */
  decides: number;
  /** Correlation with the return, and with the number of steps, of episodes. */
  withReturn: number;
  withSteps: number;
  /** Groups in which it gives all the same. */
  ties: number;
}

/** The last rollouts of the functions that scored them. */
export interface Scored {
  samples: Sample[];
  groups: number;
  /** By function. */
  stats: Map<string, RewardStats>;
  /** The weighted sum's own numbers. */
  sum: RewardStats;
  sums: Array<number | null>;
}

/** Returns what each function did to the rollouts of batches. */
export function statsOf(batches: readonly RolloutBatch[]): Scored {
  const samples = batches.flatMap((batch) => batch.samples);
  const names = [...new Set(batches.flatMap(({ table }) => table.names))];
  const columns = new Map(names.map((name) => [name, weightedGroups(batches, name)]));
  const sums = sumsOf([...columns.values()]);
  const size = (groups: Groups) => total(groups.flat().map((value) => Math.abs(value ?? 0)));
  const [allSize, allSpread] = [size, spreadOf].map((of) => total([...columns.values()].map(of)));
  const one = (groups: Groups, weighted: Groups): RewardStats => {
    const values = groups.flat();
    return {
      mean: mean(values),
      std: std(values),
      applies: values.filter((value) => value !== null).length,
      share: size(weighted) / allSize,
      decides: spreadOf(weighted) / allSpread,
      withReturn: correlation(values, samples, ({ episode }) => episode!.return),
      withSteps: correlation(values, samples, ({ episode }) => episode!.steps),
      ties: groups.filter((group) => isConstant(group) && group.length > 1).length,
    };
  };
  const stats = new Map(names.map((name) => [name, one(plainGroups(batches, name), columns.get(name)!)]));
  return { samples, groups: sums.length, stats, sum: one(sums, sums), sums: sums.flat() };
}

type Groups = Array<Array<number | null>>;

/** Returns a function's rewards, group after group; `null` where it does not apply or has not scored. */
function plainGroups(batches: readonly RolloutBatch[], name: string): Groups {
  return batches.flatMap(({ table, samples, groupSize }) =>
    chunks(table.values[table.names.indexOf(name)] ?? samples.map(() => null), groupSize),
  );
}

/** The same times its weight. */
function weightedGroups(batches: readonly RolloutBatch[], name: string): Groups {
  return batches.flatMap((batch) => {
    const weight = batch.table.weights[batch.table.names.indexOf(name)] ?? 0;
    return plainGroups([batch], name).map((group) => group.map((value) => (value === null ? null : weight * value)));
  });
}

function sumsOf(columns: readonly Groups[]): Groups {
  const [first = []] = columns;
  return first.map((group, g) =>
    group.map((_, i) => {
      const parts = columns.flatMap((groups) => groups[g][i] ?? []);
      return parts.length > 0 ? total(parts) : null;
    }),
  );
}

/** Returns the sum of distances from the mean of the group. */
function spreadOf(groups: Groups): number {
  return total(
    groups.flatMap((group) => {
      const centre = mean(group);
      return group.map((value) => (value === null ? 0 : Math.abs(value - centre)));
    }),
  );
}

/** Returns Pearson's correlation over the samples that played to the end; NaN where one of both is constant. */
function correlation(
  values: ReadonlyArray<number | null>,
  samples: readonly Sample[],
  of: (sample: Sample) => number,
): number {
  const pairs = samples.flatMap((sample, i) => {
    const value = values[i];
    return sample.episode && !sample.episode.failed && value !== null && value !== undefined
      ? [[value, of(sample)] as const]
      : [];
  });
  if (pairs.length < 3) return NaN;
  const centres = [0, 1].map((k) => mean(pairs.map((pair) => pair[k])));
  const product = (a: number, b: number) => total(pairs.map((pair) => (pair[a] - centres[a]) * (pair[b] - centres[b])));
  const scale = Math.sqrt(product(0, 0) * product(1, 1));
  return scale > 0 ? product(0, 1) / scale : NaN;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
