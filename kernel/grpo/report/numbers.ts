import { mean } from '../../common/statistics';
import type { ReportData, ReportNumber } from '../../display/report/data';
import type { ReferenceReturns } from '../../environments/reference';
import type { Metrics } from '../../training/metricsBuffer';
import type { StepPlay } from './highlights';

/** Part of a run that its beginning and its end are, and its steps at most: one step may be luck. */
const PART = 0.1;
const MOST = 10;

/** Returns the steps over which the numbers of a run's beginning, and of its end, are averaged. */
export function averagedSteps(steps: number): number {
  return Math.max(1, Math.min(MOST, Math.floor(steps * PART)));
}

/** Returns the numbers of a run at its beginning and at its end. */
export function beforeAndAfter(
  log: readonly Metrics[],
  rewardNames: readonly string[],
  plays: readonly StepPlay[],
): ReportNumber[] {
  const metric = (name: string, title: string): ReportNumber =>
    ends(
      title,
      log.flatMap((entry) => entry[name] ?? []),
    );
  const evaluations = log.flatMap((entry) => entry.eval_reward ?? []);
  const rows = [
    metric('reward', 'reward'),
    ...(rewardNames.length > 1 ? rewardNames.map((name) => metric(`rewards/${name}/mean`, name)) : []),
    ...(evaluations.length > 1
      ? [{ name: 'evaluation, first and last', before: evaluations[0], after: evaluations.at(-1)! }]
      : []),
    ends(
      'return, mean',
      plays.map(({ meanReturn }) => meanReturn),
    ),
    ends(
      'return, best of a step',
      plays.map(({ bestReturn }) => bestReturn),
    ),
    ends(
      'completions that play',
      plays.map(({ played, rollouts }) => played / rollouts),
    ),
    metric('refinement/best_worth', 'expected reward of the best program'),
    metric('completions/mean_length', 'tokens of a completion'),
  ];
  return rows.filter(({ before, after }) => before !== null || after !== null);
}

function ends(name: string, values: readonly number[]): ReportNumber {
  const count = averagedSteps(values.length);
  const known = (part: readonly number[]): number | null => {
    const value = mean(part.filter(Number.isFinite));
    return Number.isFinite(value) ? value : null;
  };
  return { name, before: known(values.slice(0, count)), after: known(values.slice(-count)) };
}

/** Returns the returns by which those of the run are measured. */
export function scaleOf(reference: ReferenceReturns | null): ReportData['scale'] {
  if (!reference) return [];
  const { chance, constants, human } = reference;
  return [
    { name: 'random actions', value: chance.mean },
    ...(constants.length > 0
      ? [{ name: `always ${constants[0].action}, the best constant action,`, value: constants[0].mean }]
      : []),
    ...(human ? [{ name: 'a human', value: human.mean }] : []),
  ];
}
