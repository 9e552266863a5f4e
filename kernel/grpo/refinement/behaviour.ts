import { createHash } from 'node:crypto';
import type { Episode } from '../../episodes/episode';
import type { Evaluation } from './program';

/** Part of the steps that each action had. */
export function actionShares({
  actions,
  actionNames,
}: Pick<Episode, 'actions' | 'actionNames'>): Record<string, number> {
  const counts = new Map<string, number>();
  for (const action of actions) counts.set(actionNames[action], (counts.get(actionNames[action]) ?? 0) + 1);
  return Object.fromEntries([...counts].map(([name, count]) => [name, count / actions.length]));
}

/** Equal for two episodes of one start exactly where all their actions are. */
export function traceOf({
  seed,
  actions,
  actionNames,
  end,
}: Pick<Episode, 'seed' | 'actions' | 'actionNames' | 'end'>): string {
  const names = actions.map((action) => actionNames[action]);
  return createHash('sha256')
    .update(JSON.stringify([seed, names, end.reason]))
    .digest('hex')
    .slice(0, 20);
}

/** The one action that an episode consists of; `null` where there are more, or none. */
export function constantAction({ actionShares, end }: Pick<Evaluation, 'actionShares' | 'end'>): string | null {
  const names = Object.keys(actionShares);
  return names.length === 1 && ['terminated', 'truncated'].includes(end.reason) ? names[0] : null;
}

/** Actions that a cell names, those of the largest shares. */
const NAMED = 4;

/**
 * The cell of a behaviour: how it ended, whether the strategy remembers, how
 * long it lasted (in powers of two), and its actions' shares in quarters.
 */
export function cellOf(
  code: string,
  { actionShares, steps, end }: Pick<Evaluation, 'actionShares' | 'steps' | 'end'>,
): string {
  const plays = end.reason === 'terminated' || end.reason === 'truncated';
  const shares = Object.entries(actionShares)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, NAMED)
    .map(([name, share]) => [name, Math.round(4 * share)] as const)
    .filter(([, quarters]) => quarters > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [
    plays ? 'plays' : end.reason,
    usesMemory(code) ? 'memory' : 'none',
    Math.round(Math.log2(steps + 1)),
    ...shares.map(([name, quarters]) => `${name}:${quarters}`),
  ];
  return parts.join(' ');
}

/** Whether a strategy keeps something between its calls: it declares a variable outside of its functions. */
export function usesMemory(code: string): boolean {
  return /^(?:let|var)\s|^const\s+\w+\s*(?::[^=]+)?=\s*(?:[[{]|new\s)/m.test(code);
}
