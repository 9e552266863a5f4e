import type { NamedAction } from './actions';

/** Random numbers that an episode of chance draws, at most, where several have the same seed. */
const DRAWS = 4999;

/**
 * Returns the code of a strategy that chooses at random, among OpenEnv's `legal_actions` where the state has them.
 *
 * @param repeat number of the episode among those of one seed: each chooses otherwise
 */
export function chanceCode(actions: readonly NamedAction[], repeat = 0): string {
  const skip = repeat > 0 ? `for (let i = 0; i < ${repeat * DRAWS}; i++) Math.random();\n` : '';
  return `${skip}const actions = ${literal(actions.map(({ value }) => value))};
function strategy(state) {
  const given = Array.isArray(state.legal_actions) ? actions.filter((action) => state.legal_actions.includes(action)) : [];
  const legal = given.length > 0 ? given : actions;
  return legal[Math.floor(Math.random() * legal.length)];
}`;
}

/** Returns the code of a strategy that always returns the same action. */
export function constantCode(value: unknown): string {
  return `const action = ${literal(value)};
function strategy() {
  return action;
}`;
}

/** Returns a value as source code: as JSON that is parsed, so that a field may have any name. */
export function literal(value: unknown): string {
  return `JSON.parse(${JSON.stringify(JSON.stringify(value))})`;
}
