import type { ResolvedConfig } from './config';

/** The settings that the learning rate depends on. */
export type ScheduleSettings = Pick<ResolvedConfig, 'learningRate' | 'lrSchedulerType' | 'warmupSteps' | 'warmupRatio'>;

/**
 * The learning rate of a step, as transformers' schedulers give it.
 *
 * @param step counted from 0
 * @param totalSteps steps of the whole run
 */
export function learningRateAt(step: number, totalSteps: number, settings: ScheduleSettings): number {
  const { learningRate, lrSchedulerType } = settings;
  if (lrSchedulerType === 'constant') return learningRate;
  const warmup = warmupLength(totalSteps, settings);
  if (step < warmup) return (learningRate * step) / Math.max(1, warmup);
  if (lrSchedulerType === 'constant_with_warmup') return learningRate;
  const progress = (step - warmup) / Math.max(1, totalSteps - warmup);
  if (lrSchedulerType === 'linear') return learningRate * Math.max(0, 1 - progress);
  return learningRate * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/** Steps of warm-up: `warmupSteps`, a fraction of all where it is below 1, else `warmupRatio` of all. */
function warmupLength(totalSteps: number, { warmupSteps, warmupRatio }: ScheduleSettings): number {
  if (warmupSteps >= 1) return Math.floor(warmupSteps);
  return Math.ceil(totalSteps * (warmupSteps > 0 ? warmupSteps : warmupRatio));
}
