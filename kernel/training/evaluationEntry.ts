import type { Metrics } from './metricsBuffer';
import type { EvalLoopOutput } from './trainerParts';

/** Returns the entry of the log for an evaluation that took `runtime` seconds: its metrics, with transformers' prefix and times. */
export function evaluationEntry(
  at: { step: number; epoch: number },
  { metrics, samples, batches }: EvalLoopOutput,
  runtime: number,
): Metrics {
  const entry: Metrics = { ...at };
  for (const [name, value] of Object.entries(metrics)) if (!Number.isNaN(value)) entry[`eval_${name}`] = value;
  return Object.assign(entry, {
    eval_runtime: runtime,
    eval_samples_per_second: samples / runtime,
    eval_steps_per_second: batches / runtime,
  });
}
