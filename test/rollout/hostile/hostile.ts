import { answers } from './answers';
import { reach } from './reach';
import { resources } from './resources';
import { guessers, sources } from './sources';

/**
 * How an episode has to end when its strategy attacks at its third call. `played`: the
 * attack has no effect, and the episode goes on.
 */
export type Reason = 'timeout' | 'memory' | 'error' | 'invalid_action' | 'played';

/** Bodies of functions that are run at the third call, by group and reason. */
export type Bodies = Record<string, Partial<Record<Reason, string[]>>>;

const bodies: Bodies = { ...resources, ...reach, ...answers };

const played = 'return state.legal_actions[0];';
const atThirdCall = (text: string): string =>
  `let calls = 0;\nfunction strategy(state) {\n  if (calls++ === 2) {\n    ${text}\n  }\n  ${played}\n}`;

export interface Hostile {
  group: string;
  reason: Reason;
  code: string;
}

/** All hostile strategies, each a different text. */
export const hostile: Hostile[] = [
  ...Object.entries(bodies).flatMap(([group, byReason]) =>
    Object.entries(byReason).flatMap(([reason, texts]) =>
      texts.map((text) => ({ group, reason: reason as Reason, code: atThirdCall(text) })),
    ),
  ),
  ...sources.map(([reason, code]) => ({ group: 'whole sources', reason, code })),
  ...guessers.map((text) => ({ group: 'seeds', reason: 'played' as const, code: atThirdCall(text) })),
];

/** Harmless strategies that play beside them: their actions depend on their own calls, random numbers and globals. */
export const neighbours = [
  'function strategy({ legal_actions }) { return legal_actions[Math.floor(Math.random() * legal_actions.length)]; }',
  'let n = 0;\nfunction strategy({ legal_actions }) { return legal_actions[n++ % legal_actions.length]; }',
  `const own = Object.getOwnPropertyNames(globalThis).length;
function strategy(state) {
  if (({}).polluted !== undefined || [].polluted !== undefined || JSON.parse('[1]')[0] !== 1 || Object.getOwnPropertyNames(globalThis).length !== own || typeof [].map !== 'function') throw new Error('polluted');
  return { action_id: state.legal_actions[own % state.legal_actions.length] };
}`,
];
