import { formatNumber, shortNumber } from '../display/table';
import type { ReferenceReturns } from '../environments/reference';
import { didNotPlay, type Sample } from './sample';
import { weightedSum, type RewardTable } from './scoring';
import { chunks, isConstant } from '../common/statistics';

/**
 * Returns a sentence for each group whose samples all have the same reward, which
 * therefore gives no training signal: it names the functions that tie. Empty where
 * every group has a spread.
 */
export function diagnoseSignal(table: RewardTable, samples: readonly Sample[], groupSize: number): string[] {
  const groups = chunks(weightedSum(table), groupSize);
  return groups.flatMap((sums, g) => {
    const start = g * groupSize;
    const members = samples.slice(start, start + groupSize);
    if (members.every(({ environmentError }) => environmentError !== undefined))
      return [`no signal: the environment could play none of ${members.length} completions`];
    if (sums.every((sum) => sum === null))
      return [`no signal: no reward function applies to any of ${members.length} completions`];
    if (!isConstant(sums)) return [];
    return [explainTie(table, members, start, sums)];
  });
}

function explainTie(table: RewardTable, members: readonly Sample[], start: number, sums: Array<number | null>): string {
  const sum = formatNumber(sums.find((value) => value !== null));
  const head = `no signal: all ${members.length} completions get ${sum}`;
  if (members.every(({ completion }) => completion === members[0].completion)) {
    return `${head}, because they are the same text. Raise the temperature, or lower the learning rate of the next run`;
  }
  const columns = table.values.map((values) => values.slice(start, start + members.length));
  const said = columns.map((values, f) => {
    if (values.every((value) => value === null)) return `${table.names[f]} applies to none`;
    return isConstant(values)
      ? `${table.names[f]} gives each ${formatNumber(values.find((value) => value !== null))}`
      : null;
  });
  const differing = table.names.filter((_, f) => said[f] === null);
  if (differing.length > 0) return `${head}: ${differing.join(' and ')} differ but their weighted sum does not`;
  return `${head}: ${said.join(', ')}`;
}

/** A problem in how completions play, which makes training on them doubtful. */
export interface PlayProblem {
  kind: 'unplayed' | 'constant' | 'certain';
  /** The problem and a remedy, in a line. */
  text: string;
}

/**
 * Returns problems of groups whose best rewards go to completions that did not play,
 * and of groups in which every program that played is constant. Of several such groups
 * the first is described.
 *
 * @param capped whether what did not play counts no more than the worst that did
 */
export function diagnosePlay(
  table: RewardTable,
  samples: readonly Sample[],
  groupSize: number,
  capped: boolean,
): PlayProblem[] {
  const sums = chunks(weightedSum(table), groupSize);
  const groups = chunks(samples, groupSize);
  const first = <T>(find: (members: Sample[], g: number) => T | null) =>
    groups.reduce<T | null>((found, members, g) => found ?? find(members, g), null);
  const unplayed = first((members, g) => explainUnplayed(members, sums[g], capped));
  const constant = first(explainConstant);
  return [
    ...(unplayed ? [{ kind: 'unplayed' as const, text: unplayed }] : []),
    ...(constant ? [{ kind: 'constant' as const, text: constant }] : []),
  ];
}

function explainUnplayed(
  members: readonly Sample[],
  sums: ReadonlyArray<number | null>,
  capped: boolean,
): string | null {
  const best = (which: (sample: Sample) => boolean) =>
    Math.max(...members.map((sample, i) => (which(sample) ? (sums[i] ?? -Infinity) : -Infinity)));
  const played = members.filter((sample) => sample.episode && !sample.episode.failed);
  const unplayed = members.filter(didNotPlay);
  if (unplayed.length === 0) return null;
  if (played.length === 0) {
    return `none of ${unplayed.length} completions of a group played: ${countUnplayed(unplayed)}. Start again with a lower learning rate or with targetKl: 0.2, or with a model that knows how such a function is written`;
  }
  const [silent, playing] = [best(didNotPlay), best((sample) => played.includes(sample))];
  if (!(silent > playing)) return null;
  return (
    `the best rewards of a group go to completions that did not play: ${formatNumber(silent)} (${countUnplayed(unplayed)}), and ${formatNumber(playing)} at most to the ${played.length} that did. ` +
    (capped ? 'They count as the worst that did (capUnplayed). ' : 'So silence is learned: set capUnplayed to true. ') +
    'Better, give what does not play the least, as normalizedReturn does'
  );
}

/** Returns why completions did not play, in words: "3 without a function, 1 not allowed". */
function countUnplayed(unplayed: readonly Sample[]): string {
  const why = ({ code, episode }: Sample) =>
    code === null ? 'without a function' : episode ? 'failed' : 'not allowed';
  const reasons = ['without a function', 'not allowed', 'failed'].map(
    (reason) => [unplayed.filter((sample) => why(sample) === reason).length, reason] as const,
  );
  return reasons.flatMap(([count, reason]) => (count > 0 ? [`${count} ${reason}`] : [])).join(', ');
}

function explainConstant(members: readonly Sample[]): string | null {
  const episodes = members.flatMap(({ episode }) => (episode && !episode.failed && episode.steps > 1 ? [episode] : []));
  if (episodes.length < 2 || !episodes.every(({ actions }) => isConstant(actions))) return null;
  const counts = new Map<string, number>();
  for (const { actions, actionNames } of episodes)
    counts.set(actionNames[actions[0]], (counts.get(actionNames[actions[0]]) ?? 0) + 1);
  const named = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 4)
    .map(([action, count]) => `${action} ${count}`);
  const known = bestConstant(members[0].reference);
  return (
    `all ${episodes.length} programs of a group that played are constant: always ${named.join(', ')}${counts.size > named.length ? ' …' : ''}${known ? ` (${known.name} gets ${shortNumber(known.mean)})` : ''}. ` +
    'Such a group shows nothing better: raise temperature or entropyCoef, or start again with a lower learning rate'
  );
}

/** Returns the best return without reading the state: that of a constant action, or of chance where none is known. */
function bestConstant(reference: ReferenceReturns | null | undefined): { name: string; mean: number } | null {
  if (!reference) return null;
  const [best] = reference.constants;
  return best ? { name: `always ${best.action}`, mean: best.mean } : { name: 'chance', mean: reference.chance.mean };
}

/** Fraction of its first entropy below which a model counts as certain. */
const CERTAIN = 0.5;

/** Arguments of {@link diagnoseCertainty}. */
export interface Certainty {
  /** Entropy of the completions' tokens now and in the run's first step, in nats. */
  entropy: number | undefined;
  firstEntropy: number | undefined;
  /** Mean return of the latest episodes. */
  meanReturn: number;
  reference: ReferenceReturns | null | undefined;
}

/**
 * Returns the problem that the model has become certain of programs that are no better
 * than a constant action; empty where it has not.
 */
export function diagnoseCertainty({
  entropy = NaN,
  firstEntropy = NaN,
  meanReturn,
  reference,
}: Certainty): PlayProblem[] {
  const best = bestConstant(reference);
  if (!best || !(entropy < CERTAIN * firstEntropy) || !(meanReturn <= best.mean)) return [];
  const text =
    `the model is certain (entropy ${formatNumber(entropy)}, ${formatNumber(firstEntropy)} at the start) of programs that get ${shortNumber(meanReturn)}, no more than ${best.name} (${shortNumber(best.mean)}). ` +
    'Little else will be tried: start again with a lower learning rate, with entropyCoef, or with another seed';
  return [{ kind: 'certain', text }];
}
