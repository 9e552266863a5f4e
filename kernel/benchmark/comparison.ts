import { mean } from '../common/statistics';
import { formatScore } from '../display/benchmarkTable';
import { difference, type Estimate, type Returns } from './bootstrap';

/** A policy, or the best of its attempts, with its returns by attempt and start. */
export interface Compared {
  name: string;
  returns: Returns;
  /** Its stream of random numbers in the bootstrap. */
  stream: number;
}

/** The difference of two policies that played from the same starts. */
export interface PolicyComparison extends Estimate {
  first: string;
  second: string;
  /** 'better': the first is; 'none': these starts show no difference. */
  verdict: 'better' | 'worse' | 'none';
  /** The verdict as a sentence, with the difference and its 95 % interval. */
  text: string;
}

/** Compares two policies by their differences from the same starts. */
export function compared(first: Compared, second: Compared): PolicyComparison {
  const estimate = difference(first.returns, second.returns, [first.stream, second.stream]);
  const { low, high } = estimate;
  const verdict = low === null || high === null ? 'none' : low > 0 ? 'better' : high < 0 ? 'worse' : 'none';
  const comparison = { ...estimate, first: first.name, second: second.name, verdict } as const;
  return { ...comparison, text: sentence(comparison, first.returns[0].length, sameAtEachStart(first, second)) };
}

/** Returns whether both get the same from every start, on the mean of their attempts. */
function sameAtEachStart(first: Compared, second: Compared): boolean {
  const means = ({ returns }: Compared) => returns[0].map((_, s) => mean(returns.map((row) => row[s])));
  const others = means(second);
  return means(first).every((value, s) => value === others[s]);
}

function sentence(
  { first, second, mean, low, high, verdict }: Omit<PolicyComparison, 'text'>,
  starts: number,
  same: boolean,
): string {
  if (same) return `${first} and ${second} play equally well from each start.`;
  if (low === null || high === null) return `One start says nothing of the difference between ${first} and ${second}.`;
  const [a, b] = verdict === 'worse' ? [-high, -low] : [low, high];
  const largest = Math.max(Math.abs(a), Math.abs(b));
  const between = `${formatScore(a, largest)} to ${formatScore(b, largest)}`;
  const size = formatScore(verdict === 'worse' ? -mean : mean, largest);
  if (verdict === 'better') return `${first} is better than ${second} by ${size} (95 % interval ${between}).`;
  if (verdict === 'worse') return `${second} is better than ${first} by ${size} (95 % interval ${between}).`;
  return `No difference between ${first} and ${second} that these ${starts} starts could show: ${size} (95 % interval ${between}).`;
}
