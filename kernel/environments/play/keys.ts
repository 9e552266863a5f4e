/** The buttons of a joystick in the name of an action, such as "UPRIGHTFIRE". */
const BUTTONS = /UP|DOWN|LEFT|RIGHT|FIRE/g;

/** The keys of ALE's own display, as browsers name them (`KeyboardEvent.key`). */
const KEYS: Record<string, string> = {
  ArrowUp: 'UP',
  ArrowDown: 'DOWN',
  ArrowLeft: 'LEFT',
  ArrowRight: 'RIGHT',
  ' ': 'FIRE',
};

/** Returns the keys that have an effect on these actions, each with its button. */
export function playKeys(actions: readonly string[]): Record<string, string> {
  const used = new Set(actions.flatMap(buttonsOf));
  return Object.fromEntries(Object.entries(KEYS).filter(([, button]) => used.has(button)));
}

/**
 * Returns the ID of the action for the keys that are held: the one with the most
 * of their buttons; of several, the one with the newest. Without keys it is NOOP.
 *
 * @param keys in the order in which they were pressed; unknown ones are ignored
 */
export function keysAction(actions: readonly string[], keys: readonly string[]): number {
  const held = keys.map((key) => KEYS[key]).filter(Boolean);
  const ranks = actions.map((action) => {
    const buttons = buttonsOf(action);
    const ages = buttons.map((button) => held.lastIndexOf(button));
    return ages.includes(-1) ? -1 : buttons.length * (held.length + 1) + Math.max(0, ...ages);
  });
  return ranks.indexOf(Math.max(...ranks));
}

function buttonsOf(action: string): string[] {
  return action.match(BUTTONS) ?? [];
}

/**
 * Returns a key for each action of an environment that waits for its player, and the
 * action that it takes: an arrow or the space bar where the name is one of a joystick's
 * buttons, else a letter of the name that no other action has, else a digit or letter
 * that is left. Actions beyond the keys have none.
 */
export function turnKeys(actions: readonly string[]): Record<string, string> {
  const keys = new Map<string, string>();
  const joystick = Object.fromEntries(Object.entries(KEYS).map(([key, button]) => [button, key]));
  const wanted = (action: string): string[] =>
    joystick[action.toUpperCase()] ? [joystick[action.toUpperCase()]] : [...action.toLowerCase(), ...LEFT_OVER];
  for (const action of actions) {
    const key = wanted(action).find((it) => (it.length > 1 || /[a-z0-9 ]/.test(it)) && !keys.has(it));
    if (key !== undefined) keys.set(key, action);
  }
  return Object.fromEntries(keys);
}

/** Keys of actions whose names have none. */
const LEFT_OVER = '1234567890abcdefghijklmnopqrstuvwxyz';
