import { isConstant, mean, std } from '../../common/statistics';
import { formatNumber, formatPercent } from '../../display/table';
import { didNotPlay, type Sample } from '../sample';
import type { RewardStats, Scored } from './stats';

/*
 * What is wrong with rewards, in words, from what they gave to the last
 * rollouts. With few rollouts nothing is said: chance would be.
 */

/** Rollouts from which on correlations mean something. */
const ENOUGH = 24;
/** A part of the differences from which on others hardly count. */
const DWARFS = 0.9;
/** A correlation that is strong, and one that is weak. */
const STRONG = 0.7;
const WEAK = 0.2;
/** The part of a run in which a reward for what is rare may give nothing. */
const EARLY = 0.2;

/** Where a run stands. */
export interface RunPlace {
  step: number;
  maxSteps?: number;
}

/** Something wrong with rewards, in words. */
export interface RewardNote {
  kind: 'never' | 'constant' | 'zeros' | 'rare' | 'dwarfs' | 'length' | 'silence' | 'actions';
  text: string;
}

/** Returns what is to be said about a function; empty where nothing is. */
export function functionNotes(
  stats: RewardStats,
  { samples, groups, stats: all }: Scored,
  place: RunPlace,
): RewardNote[] {
  const count = samples.length;
  if (stats.applies === 0) return [{ kind: 'never', text: `applies to none of the last ${count} rollouts` }];
  if (stats.std === 0 || stats.ties === groups) return [constantNote(stats, count, groups, place)];
  const others = [...all.values()].filter((other) => other !== stats && other.decides > 0);
  const notes: RewardNote[] = [];
  if (count >= ENOUGH && stats.decides > DWARFS && others.length > 0)
    notes.push({
      kind: 'dwarfs',
      text: `decides ${formatPercent(stats.decides)} of the differences between the rollouts of a group: the others hardly count. Lower its weight, or clip it`,
    });
  return count >= ENOUGH ? [...notes, ...lengthNotes(stats)] : notes;
}

/** Returns why a function tells no rollouts apart; zeros are normal while what it rewards has not happened. */
function constantNote(
  { mean, std }: RewardStats,
  count: number,
  groups: number,
  { step, maxSteps }: RunPlace,
): RewardNote {
  if (std !== 0)
    return {
      kind: 'constant',
      text: `gives all rollouts of a group the same, in each of the last ${groups} groups: it teaches nothing`,
    };
  if (mean !== 0)
    return {
      kind: 'constant',
      text: `gives each of the last ${count} rollouts ${formatNumber(mean)}: it tells none apart`,
    };
  const until = maxSteps === undefined ? 20 : Math.max(10, Math.ceil(EARLY * maxSteps));
  return step < until
    ? {
        kind: 'zeros',
        text: `gives 0 to all so far. That is normal for what is rare at first, until about step ${until}`,
      }
    : {
        kind: 'rare',
        text: `still gives 0 to all at step ${step}. What never happens is never learned: give partial credit on the way to it (closeTo)`,
      };
}

function lengthNotes({ withReturn, withSteps }: RewardStats): RewardNote[] {
  if (!(Math.abs(withSteps) > STRONG) || withReturn > WEAK) return [];
  const instead = withReturn < -WEAK ? 'while the return falls' : 'and not with the return';
  const text =
    withSteps > 0
      ? `rises with the length of episodes ${instead}: stalling pays`
      : `falls with the length of episodes ${instead}: short episodes pay`;
  return [{ kind: 'length', text }];
}

/** Returns what is to be said about all functions together. */
export function sumNotes({ samples, sums, sum }: Scored): RewardNote[] {
  if (samples.length < ENOUGH) return [];
  const length = lengthNotes(sum).map((note) => ({ ...note, text: `the sum of all rewards ${note.text}` }));
  return [...silenceNote(samples, sums), ...constantActionsNote(samples, sums), ...length];
}

/** Silence pays: what did not play gets more, on the average, than what did. */
function silenceNote(samples: readonly Sample[], sums: ReadonlyArray<number | null>): RewardNote[] {
  const of = (which: (sample: Sample) => boolean) => sums.filter((_, i) => which(samples[i]));
  const [silent, played] = [of(didNotPlay), of(({ episode }) => episode !== null && !episode.failed)].map((values) =>
    mean(values),
  );
  return silent > played
    ? [
        {
          kind: 'silence',
          text: `what does not play gets ${formatNumber(silent)} on the average, what plays ${formatNumber(played)}: silence pays. Give what does not play the least`,
        },
      ]
    : [];
}

/** Constant actions pay: programs that always do the same get more than those that decide. */
function constantActionsNote(samples: readonly Sample[], sums: ReadonlyArray<number | null>): RewardNote[] {
  const played = samples.flatMap(({ episode }, i) => {
    const sum = sums[i];
    return episode && !episode.failed && episode.steps > 1 && sum !== null ? [{ sum, actions: episode.actions }] : [];
  });
  const [same, varied] = [true, false].map((wanted) =>
    played.filter(({ actions }) => isConstant(actions) === wanted).map(({ sum }) => sum),
  );
  if (same.length < 4 || varied.length < 4) return [];
  const margin = std(played.map(({ sum }) => sum)) / 4;
  return mean(same) > mean(varied) + margin
    ? [
        {
          kind: 'actions',
          text: `programs that always do the same get ${formatNumber(mean(same))} on the average, those that decide ${formatNumber(mean(varied))}: constant actions pay`,
        },
      ]
    : [];
}
