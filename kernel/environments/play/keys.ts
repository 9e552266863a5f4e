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
