import { cellContext } from '../../display/cellContext';
import type {
  ComparedFailure,
  ComparedFunction,
  ComparedRollout,
  ComparisonData,
  Spread,
} from '../../display/rewardsMime';
import type { SampleFailure } from '../scoring';
import type { Sample } from '../sample';
import type { ComparedSample, Comparison, Rescore } from './comparison';

/** Parts of the range of rewards in a histogram. */
const BINS = 16;
/** Rollouts that are shown as the largest gains, and as the largest losses. */
const LARGEST = 3;
/** Rollouts that are kept in the notebook, at most: half of them gained most, half lost most. */
const MOST_ROLLOUTS = 256;
/** Characters of a program that are kept. */
const LONGEST_CODE = 4000;
/** Ways of failing that are shown, at most. */
const MOST_FAILURES = 8;

/** Returns what changed as plain data. @param id the ID by which its frames can be asked for */
export function comparisonData(comparison: Comparison, id: string): ComparisonData {
  const { functions, samples, groups } = comparison;
  const changed = functions.filter((one) => one.changed && one.samples.length > 0);
  const all = changedRollouts(samples, changed);
  const rollouts =
    all.length > MOST_ROLLOUTS ? [...all.slice(0, MOST_ROLLOUTS / 2), ...all.slice(-MOST_ROLLOUTS / 2)] : all;
  const gains = largest(rollouts, 1);
  const losses = largest(rollouts, -1);
  for (const i of [...gains, ...losses]) {
    const { code, completion } = samples[rollouts[i].index].sample;
    rollouts[i].code = (code ?? completion).slice(0, LONGEST_CODE);
  }
  const summary = functions.find(({ samples }) => samples.length > 0) ?? functions[0];
  return {
    version: 1,
    id,
    count: samples.length,
    groups,
    functions: changed.map(functionData),
    unchanged: functions.filter((one) => !one.changed).map(({ rewardName }) => rewardName),
    failures: functions.flatMap(failuresOf),
    sum: { before: number(summary.before.reward), after: number(summary.after.reward) },
    groupsWithoutSpread: {
      before: summary.before.groupsWithoutSpread,
      after: summary.after.groupsWithoutSpread,
    },
    moved: samples.filter(({ rank }) => rank[0] !== null && rank[0] !== rank[1]).length,
    changed: all.length,
    rollouts,
    gains,
    losses,
  };
}

/** Changes of an advantage below this are rounding. */
const TINY = 1e-6;

/** Returns the positions of the largest gains (`sign` 1) or losses (−1); of rollouts that changed alike, the first. */
function largest(rollouts: readonly ComparedRollout[], sign: 1 | -1): number[] {
  const seen = new Set<string>();
  const found = rollouts.flatMap((rollout, i) => {
    // What a function failed on has not lost: nobody knows what it is worth.
    if (sign * gainOf(rollout) <= TINY || rollout.sum[1] === null) return [];
    const kind = JSON.stringify([rollout.step, rollout.sum, rollout.rank]);
    if (seen.has(kind)) return [];
    seen.add(kind);
    return [i];
  });
  return (sign > 0 ? found : found.reverse()).slice(0, LARGEST);
}

/** Returns by how much a rollout's advantage has risen. */
export function gainOf({ advantage: [before, after] }: Pick<ComparedRollout, 'advantage'>): number {
  return (after ?? 0) - (before ?? 0);
}

/** Returns the rollouts of which something changed, from the largest gain to the largest loss. */
function changedRollouts(samples: readonly ComparedSample[], changed: readonly Rescore[]): ComparedRollout[] {
  return samples
    .map(
      ({ sample, sum, rank, advantage }, index): ComparedRollout => ({
        index,
        step: sample.step,
        sum: pair(sum),
        rank,
        advantage: pair(advantage),
        rewards: changed.map(({ samples }) => pair([samples[index].before ?? null, samples[index].after])),
        text: excerpt(sample),
        played: sample.episode !== null,
      }),
    )
    .filter(
      (rollout) =>
        rollout.sum[0] !== rollout.sum[1] ||
        Math.abs(gainOf(rollout)) > TINY ||
        rollout.rewards.some(([before, after]) => before !== after),
    )
    .sort((a, b) => gainOf(b) - gainOf(a) || a.index - b.index);
}

function functionData({ reward, samples, before, after, weightBefore, isReweighed }: Rescore): ComparedFunction {
  const values = (which: 'before' | 'after') => samples.flatMap((sample) => sample[which] ?? []);
  const isNew = samples.every((sample) => sample.before === undefined);
  return {
    name: reward.name,
    isNew,
    weight: reward.weight,
    ...(isReweighed && { weightBefore }),
    before: spread(before),
    after: spread(after),
    histogram: histogram(values('before'), values('after')),
  };
}

function histogram(before: readonly number[], after: readonly number[]): ComparedFunction['histogram'] {
  const all = [...before, ...after];
  const low = all.reduce((least, value) => Math.min(least, value), Infinity);
  const high = all.reduce((most, value) => Math.max(most, value), -Infinity);
  const count = (values: readonly number[]): number[] => {
    const bins = Array.from({ length: BINS }, () => 0);
    for (const value of values) {
      const part = high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
      bins[Math.min(BINS - 1, Math.floor(part * BINS))]++;
    }
    return bins;
  };
  if (all.length === 0) return { low: 0, high: 0, before: [], after: [] };
  return { low: short(low), high: short(high), before: before.length > 0 ? count(before) : [], after: count(after) };
}

/** Returns the failures of a function, those of one kind together. */
function failuresOf({ rewardName, error }: Rescore): ComparedFailure[] {
  const kinds = new Map<string, { first: SampleFailure; samples: number[] }>();
  for (const failure of error?.failures ?? []) {
    const kind = failure.what.replace(/(?<= (?:sample|for sample) )\d+/, '');
    const known = kinds.get(kind);
    if (known) known.samples.push(failure.index);
    else kinds.set(kind, { first: failure, samples: [failure.index] });
  }
  return [...kinds.values()].slice(0, MOST_FAILURES).map(({ first, samples }) => ({
    name: rewardName,
    samples,
    text: first.what,
    code: first.cause === undefined ? '' : placeOf(first.cause),
  }));
}

/** Returns an exception as the notebook shows it. */
function placeOf(cause: unknown): string {
  return (cellContext().describeError?.(cause) ?? '').replace(/\x1b\[[0-9;]*m/g, '');
}

function spread({ mean, std }: { mean: number; std: number }): Spread {
  return { mean: number(mean), std: number(std) };
}

function number(value: number): number | null {
  return Number.isFinite(value) ? short(value) : null;
}

function pair([before, after]: [number | null, number | null]): [number | null, number | null] {
  return [before === null ? null : short(before), after === null ? null : short(after)];
}

/** Returns a number that takes few characters in the notebook. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}

/** Returns the first 60 characters of the strategy or completion, without the strategy's head. */
function excerpt({ code, completion }: Sample): string {
  const text = (code ?? completion)
    .slice(0, 400)
    .replace(/\s+/g, ' ')
    .replace(/^function strategy\(\w*\) \{ ?/, '')
    .trim();
  return text.length > 60 ? text.slice(0, 59) + '…' : text;
}
