import type { Worth } from '../../engines/trl/run';
import type { Scored } from '../rollouts/generations';

/** Returns what completions are worth to TRL's trainer. Of a generation from a checkpoint the advantages alone are known. */
export function worthOf({ table, advantages }: Pick<Scored, 'table' | 'advantages'>): Worth {
  const { names, weights, values } = table;
  if (names.length === 0)
    return { names: ['reward'], weights: [1], rewards: new Float32Array(advantages.length), advantages };
  const rows = Array.from(advantages, (_, i) => values.map((column) => column[i] ?? Number.NaN));
  return { names, weights, rewards: Float32Array.from(rows.flat()), advantages };
}
