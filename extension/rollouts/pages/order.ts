import type { RolloutRow } from '../../../kernel/display/rollouts';
import type { Order } from './page';

/** Returns the rollouts of a step that pass the filter, in order. Those without a value are last. */
export function sorted(rows: readonly RolloutRow[], { by, ascending, filter }: Order): RolloutRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const passes = (row: RolloutRow) => {
    const text = `${row.summary} ${row.ending ?? 'not played'}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const value = (row: RolloutRow): number | null => {
    if (by === 'sampled') return ascending ? row.position : -row.position;
    const known: Record<string, number | null> = {
      reward: row.reward,
      advantage: row.advantage,
      return: row.return,
      steps: row.steps,
      tokens: row.tokens,
    };
    return by in known ? known[by] : (row.rewards[by] ?? null);
  };
  const sign = ascending ? 1 : -1;
  return rows.filter(passes).sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || a.position - b.position;
    return sign * (x - y) || a.position - b.position;
  });
}
