import type { StepMetrics, Worth } from '../../engines/trl/run';
import type { Scored } from '../rollouts/generations';

/** Returns what completions are worth to TRL's trainer. Of a generation from a checkpoint the advantages alone are known. */
export function worthOf({ table, advantages }: Pick<Scored, 'table' | 'advantages'>): Worth {
  const { names, weights, values } = table;
  if (names.length === 0)
    return { names: ['reward'], weights: [1], rewards: new Float32Array(advantages.length), advantages };
  const rows = Array.from(advantages, (_, i) => values.map((column) => column[i] ?? Number.NaN));
  return { names, weights, rewards: Float32Array.from(rows.flat()), advantages };
}

/** Returns TRL's metrics of an update. Those of completions and rewards are the kernel's, which knows what it has logged before. */
export function ofUpdate(metrics: StepMetrics): StepMetrics {
  const isOfRollouts = (name: string) =>
    /^(completions|rewards)\/|^(reward|reward_std|frac_reward_zero_std|num_tokens)$/.test(name);
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => !isOfRollouts(name)));
}
