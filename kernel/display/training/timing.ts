import type { TrainingData } from '../mime';

/** Newest entries of the log from which the time of a step is estimated. */
const RECENT = 10;

/** Times of a run, in seconds. */
export interface RunTimes {
  /** Time of the steps so far. */
  spent: number;
  /** Mean time of a step; `null` before the first. */
  perStep: number | null;
  /** Time until the last step, evaluations included; `null` before the first. */
  left: number | null;
}

/**
 * Returns the times of a run from its log.
 *
 * #### Notes
 * The first step also builds graphs and fills caches: it counts only as long as there is
 * no other. `step_time` is the mean over the steps since the entry before.
 */
export function runTimes({ log, step, maxSteps }: TrainingData): RunTimes {
  const timed = log
    .filter((entry) => Number.isFinite(entry.step_time))
    .map(({ step, step_time }, i, all) => ({ time: step_time, steps: Math.max(1, step - (all[i - 1]?.step ?? 0)) }));
  const total = (entries: typeof timed) => entries.reduce((sum, { time, steps }) => sum + time * steps, 0);
  const spent = total(timed);
  if (timed.length === 0) return { spent, perStep: null, left: null };
  const recent = timed.slice(1).slice(-RECENT);
  const counted = recent.length > 0 ? recent : timed;
  const perStep = total(counted) / counted.reduce((sum, { steps }) => sum + steps, 0);
  const evaluations = log.reduce((sum, { eval_runtime }) => sum + (eval_runtime ?? 0), 0);
  return { spent, perStep, left: (perStep + evaluations / Math.max(1, step)) * Math.max(0, maxSteps - step) };
}
