import { seededRandom } from '../common/random';
import { mean, studentT } from '../common/statistics';

/** Returns by attempt and start: [attempts, starts]. */
export type Returns = readonly (readonly number[])[];

/** A mean with its 95 % interval, which is `null` where one value says nothing of the spread. */
export interface Estimate {
  mean: number;
  low: number | null;
  high: number | null;
}

/** Resamples of a bootstrap, and its seed. */
const RESAMPLES = 10_000;
const SEED = 1;

/**
 * Returns the mean over attempts and starts, with its 95 % bootstrap interval. Starts
 * are resampled, and attempts where there are several: both are a sample of those that
 * could have been.
 *
 * @param stream one for each policy: its attempts are drawn from it
 */
export function estimate(returns: Returns, stream = 0): Estimate {
  return interval(mean(returns.map(mean)), resampled(returns, stream), sizeOf(returns));
}

/** Returns the mean difference of two policies from the same starts, with its interval: each resample has the same starts for both. */
export function difference(first: Returns, second: Returns, streams: [number, number] = [0, 1]): Estimate {
  const [a, b] = [resampled(first, streams[0]), resampled(second, streams[1])];
  const differences = a.map((value, i) => value - b[i]);
  const size = Math.min(sizeOf(first), sizeOf(second));
  return interval(mean(first.map(mean)) - mean(second.map(mean)), differences, size);
}

/** Returns the mean of each resample. Those of the same number of starts draw the same starts. */
function resampled(returns: Returns, stream: number): Float64Array {
  const [attempts, starts] = [returns.length, returns[0].length];
  const [startsFrom, attemptsFrom] = [seededRandom(SEED), seededRandom(SEED, stream + 1)];
  const drawn = new Uint32Array(starts);
  return Float64Array.from({ length: RESAMPLES }, () => {
    for (let s = 0; s < starts; s++) drawn[s] = Math.floor(startsFrom.next() * starts);
    let sum = 0;
    for (let a = 0; a < attempts; a++) {
      const row = returns[attempts > 1 ? Math.floor(attemptsFrom.next() * attempts) : 0];
      for (let s = 0; s < starts; s++) sum += row[drawn[s]];
    }
    return sum / (attempts * starts);
  });
}

/** Returns the number of values that decides how much an interval is too narrow. */
function sizeOf(returns: Returns): number {
  return Math.min(returns[0].length, returns.length > 1 ? returns.length : Infinity);
}

/**
 * Returns a percentile interval. Of a small sample it would be too narrow, as a normal
 * interval is beside Student's: so the percentiles lie as much further out (Hesterberg
 * 2015, expanded percentile interval).
 */
function interval(middle: number, means: Float64Array, size: number): Estimate {
  if (size < 2) return { mean: middle, low: null, high: null };
  const tail = normalTail(studentT(size - 1) * Math.sqrt(size / (size - 1)));
  const order = means.toSorted();
  const at = (share: number) => order[Math.min(RESAMPLES - 1, Math.max(0, Math.round(share * (RESAMPLES - 1))))];
  return { mean: middle, low: at(tail), high: at(1 - tail) };
}

/** Returns the probability that a standard normal value is above z > 0 (Abramowitz and Stegun 26.2.17, to 1e-7). */
function normalTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = series.reduceRight((total, factor) => (total + factor) * t, 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}
