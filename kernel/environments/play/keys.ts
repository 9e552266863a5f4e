/** The buttons of a joystick; a name of an action ("UPRIGHTFIRE") says which are held. */
const BUTTONS = /UP|DOWN|LEFT|RIGHT|FIRE/g;

/** The keys of ALE's own display, as browsers name them (`KeyboardEvent.key`). */
const KEYS: Record<string, string> = {
  ArrowUp: 'UP',
  ArrowDown: 'DOWN',
  ArrowLeft: 'LEFT',
  ArrowRight: 'RIGHT',
  ' ': 'FIRE',
};

/** The keys that do something in a game of these actions, and what they hold. */
export function playKeys(actions: readonly string[]): Record<string, string> {
  const used = new Set(actions.flatMap(buttonsOf));
  return Object.fromEntries(Object.entries(KEYS).filter(([, button]) => used.has(button)));
}

/**
 * The ID of the action that keys ask for: the one of most of the buttons that
 * they hold; of several, the one with the newest. No key is no button: NOOP.
 *
 * @param keys in the order in which they were pressed; others than a game's are ignored
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
