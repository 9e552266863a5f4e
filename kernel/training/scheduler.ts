import type { ResolvedArguments } from './arguments';
import { adviceOnName } from '../common/names';
import { shown } from '../common/shown';

/** The settings that the learning rate depends on. */
export type ScheduleSettings = Pick<
  ResolvedArguments,
  'learningRate' | 'lrSchedulerType' | 'lrSchedulerKwargs' | 'warmupSteps' | 'warmupRatio'
>;

/** A step of a run, as schedules see it. */
interface Schedule {
  /** Counted from 0. */
  step: number;
  /** Steps of warm-up, and of the whole run. */
  warmup: number;
  total: number;
  learningRate: number;
  /** A setting of the schedule, or its default. */
  setting(name: string, fallback: number): number;
  choice(name: string, fallback: string): string;
}

/** A schedule of transformers' `get_scheduler`: what it multiplies the learning rate with, and the names of its settings. */
interface ScheduleKind {
  factor(schedule: Schedule): number;
  settings: string[];
}

const linearWarmup = ({ step, warmup }: Schedule) => step / Math.max(1, warmup);

/** After the warm-up, progress from 0 to 1 over the rest of the run. */
const progressOf = ({ step, warmup, total }: Schedule) => (step - warmup) / Math.max(1, total - warmup);

/** A schedule that warms up linearly, then follows `after`. */
function warmed(settings: string[], after: (schedule: Schedule, progress: number) => number): ScheduleKind {
  return {
    settings,
    factor: (schedule) =>
      schedule.step < schedule.warmup ? linearWarmup(schedule) : after(schedule, progressOf(schedule)),
  };
}

const cosine = (turns: number) => 0.5 * (1 + Math.cos(Math.PI * turns));

const schedules = {
  linear: warmed([], (_, progress) => Math.max(0, 1 - progress)),
  cosine: warmed(['numCycles'], ({ setting }, progress) =>
    Math.max(0, cosine(setting('numCycles', 0.5) * 2 * progress)),
  ),
  cosine_with_restarts: warmed(['numCycles'], ({ setting }, progress) =>
    progress >= 1 ? 0 : Math.max(0, cosine((setting('numCycles', 1) * progress) % 1)),
  ),
  polynomial: warmed(['lrEnd', 'power'], polynomial),
  constant: { settings: [], factor: () => 1 },
  constant_with_warmup: warmed([], () => 1),
  inverse_sqrt: warmed(['timescale'], ({ step, warmup, setting }) => {
    const timescale = setting('timescale', warmup || 10_000);
    return 1 / Math.sqrt((step + timescale - warmup) / timescale);
  }),
  cosine_with_min_lr: warmed(['numCycles', 'minLr', 'minLrRate'], cosineToMinimum),
  cosine_warmup_with_min_lr: {
    settings: ['numCycles', 'minLr', 'minLrRate', 'warmupLrRate'],
    factor: cosineWarmupToMinimum,
  },
  warmup_stable_decay: {
    settings: ['numStableSteps', 'numDecaySteps', 'warmupType', 'decayType', 'minLrRatio', 'numCycles'],
    factor: warmupStableDecay,
  },
} satisfies Record<string, ScheduleKind>;

/** Name of a schedule, as transformers' `lr_scheduler_type`. */
export type ScheduleType = keyof typeof schedules;

export const scheduleTypes = Object.keys(schedules) as ScheduleType[];

function polynomial({ step, total, learningRate, setting }: Schedule, progress: number): number {
  const end = setting('lrEnd', 1e-7) / learningRate;
  return step > total ? end : (1 - end) * (1 - progress) ** setting('power', 1) + end;
}

/** A fraction of the learning rate, given as such (`minLrRate`) or as a learning rate (`minLr`). */
function minimumRate({ setting, learningRate }: Schedule): number {
  return setting('minLrRate', setting('minLr', 0) / learningRate);
}

function cosineToMinimum(schedule: Schedule, progress: number): number {
  const minimum = minimumRate(schedule);
  return Math.max(0, cosine(schedule.setting('numCycles', 0.5) * 2 * progress) * (1 - minimum) + minimum);
}

/** Like {@link cosineToMinimum}, but one step ahead, and with a warm-up that does not start at 0. */
function cosineWarmupToMinimum(schedule: Schedule): number {
  const { step, warmup, total, setting } = schedule;
  if (step >= warmup) return cosineToMinimum(schedule, (step - warmup + 1) / Math.max(1, total - warmup));
  const start = setting('warmupLrRate', NaN);
  return Number.isNaN(start)
    ? (step + 1) / Math.max(1, warmup)
    : start + ((1 - start) * step) / Math.max(1, warmup - 1);
}

/** Rises, stays, falls: by default it stays for all steps that do not rise or fall. */
function warmupStableDecay({ step, warmup, total, setting, choice }: Schedule): number {
  const decay = setting('numDecaySteps', 0);
  const stable = setting('numStableSteps', total - warmup - decay);
  const minimum = setting('minLrRatio', 0);
  const above = (factor: number) => Math.max(0, factor * (1 - minimum) + minimum);
  if (step < warmup) return above(rise(choice('warmupType', 'linear'), step / Math.max(1, warmup)));
  if (step < warmup + stable) return 1;
  if (step >= warmup + stable + decay) return minimum;
  return above(
    fall(choice('decayType', 'cosine'), (step - warmup - stable) / Math.max(1, decay), setting('numCycles', 0.5)),
  );
}

function rise(type: string, progress: number): number {
  if (type === 'cosine') return cosine(1 + progress);
  return type === '1-sqrt' ? 1 - Math.sqrt(1 - progress) : progress;
}

function fall(type: string, progress: number, cycles: number): number {
  if (type === 'cosine') return cosine(cycles * 2 * progress);
  return type === '1-sqrt' ? 1 - Math.sqrt(progress) : 1 - progress;
}

/**
 * Returns the learning rate of a step, as transformers' schedules of these names give
 * it.
 *
 * @param step counted from 0
 * @param totalSteps steps of the whole run
 */
export function learningRateAt(step: number, totalSteps: number, settings: ScheduleSettings): number {
  const { learningRate, lrSchedulerType, lrSchedulerKwargs } = settings;
  const given = lrSchedulerKwargs ?? {};
  const factor = schedules[lrSchedulerType].factor({
    step,
    warmup: warmupLength(totalSteps, settings),
    total: totalSteps,
    learningRate,
    setting: (name, fallback) => Number(given[name] ?? fallback),
    choice: (name, fallback) => String(given[name] ?? fallback),
  });
  return learningRate * factor;
}

/** Steps of warm-up: `warmupSteps`, a fraction of all where it is below 1, else `warmupRatio` of all. */
function warmupLength(totalSteps: number, { warmupSteps, warmupRatio }: ScheduleSettings): number {
  if (warmupSteps >= 1) return Math.floor(warmupSteps);
  return Math.ceil(totalSteps * (warmupSteps > 0 ? warmupSteps : warmupRatio));
}

/**
 * Checks the settings of a schedule.
 *
 * @throws TypeError that names the wrong one and what is valid
 */
export function checkSchedule({ lrSchedulerType, lrSchedulerKwargs, learningRate }: ScheduleSettings): void {
  const names: string[] = schedules[lrSchedulerType].settings;
  const given = lrSchedulerKwargs ?? {};
  const fail = (what: string): never => {
    throw new TypeError(`lrSchedulerKwargs of '${lrSchedulerType}': ${what}`);
  };
  for (const [name, value] of Object.entries(given)) {
    if (!names.includes(name)) fail(`there is no ${name}. ${adviceOnName(name, names, 'settings of this schedule')}`);
    if (name.endsWith('Type')) {
      if (!['linear', 'cosine', '1-sqrt'].includes(String(value)))
        fail(`${name} must be one of "linear", "cosine", "1-sqrt", not ${shown(value)}.`);
    } else if (typeof value !== 'number' || !Number.isFinite(value))
      fail(`${name} must be a number, not ${shown(value)}.`);
  }
  if (names.includes('minLrRate') && 'minLr' in given === 'minLrRate' in given)
    fail('give either minLr or minLrRate, such as { minLrRate: 0.1 }.');
  if (lrSchedulerType === 'warmup_stable_decay' && !('numDecaySteps' in given))
    fail('give numDecaySteps, such as { numDecaySteps: 20 }.');
  const end = Number(given.lrEnd ?? 1e-7);
  if (lrSchedulerType === 'polynomial' && !(learningRate > end))
    fail(`lrEnd (${end}) must be below learningRate (${learningRate}).`);
}
