import { mean } from '../common/statistics';
import { seededRandom } from '../common/random';

/** A mean and its 95 % interval. */
export interface Interval {
  mean: number;
  low: number;
  high: number;
}

const RESAMPLES = 2000;

/** Returns the mean of values, one for each start, and its 95 % interval by a bootstrap over the starts: the same at each call. */
export function bootstrapMean(values: readonly number[]): Interval {
  const random = seededRandom(7);
  const means = Array.from({ length: RESAMPLES }, () =>
    mean(values.map(() => values[Math.floor(random.next() * values.length)])),
  ).sort((a, b) => a - b);
  const at = (share: number): number => means[Math.round(share * (RESAMPLES - 1))];
  return { mean: mean(values), low: at(0.025), high: at(0.975) };
}

/** Returns the 95 % interval of a share, by Wilson. */
export function shareInterval(hits: number, count: number): Interval {
  const z = 1.96;
  const share = hits / count;
  const centre = (share + z ** 2 / (2 * count)) / (1 + z ** 2 / count);
  const half = (z / (1 + z ** 2 / count)) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return { mean: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** Returns the middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? NaN : sorted[Math.floor(sorted.length / 2)];
}
