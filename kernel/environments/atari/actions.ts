import { GAMES, type AtariGame } from './catalog';

/** The joystick's actions, in ALE's order. */
const JOYSTICK = [
  'NOOP',
  'FIRE',
  'UP',
  'RIGHT',
  'LEFT',
  'DOWN',
  'UPRIGHT',
  'UPLEFT',
  'DOWNRIGHT',
  'DOWNLEFT',
  'UPFIRE',
  'RIGHTFIRE',
  'LEFTFIRE',
  'DOWNFIRE',
  'UPRIGHTFIRE',
  'UPLEFTFIRE',
  'DOWNRIGHTFIRE',
  'DOWNLEFTFIRE',
];

/** Games whose joystick has no fire button in ALE. */
const NO_FIRE_BUTTON = ['lost_luggage', 'skiing'];

/** Games in which FIRE only serves: with auto-fire it is not among the actions. */
const FIRE_ONLY_SERVES = ['breakout'];

/** Returns the names of the actions that a strategy can choose from, as the server has them; an action's ID is its index. */
export function atariActions(game: AtariGame, autoFire: boolean, fullActionSpace: boolean): string[] {
  if (fullActionSpace) return JOYSTICK.filter((action) => !(NO_FIRE_BUTTON.includes(game) && action.endsWith('FIRE')));
  const used = JOYSTICK.filter((_, bit) => (GAMES[game].actions >> bit) & 1);
  return autoFire && FIRE_ONLY_SERVES.includes(game) ? used.filter((action) => action !== 'FIRE') : used;
}
