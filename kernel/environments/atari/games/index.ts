import type { StateVariable } from '../../environment';
import type { AtariGame } from '../actions';
import { breakout } from './breakout';

const VARIABLES: { [game in AtariGame]?: StateVariable[] } = { breakout };

/** The named state of a game; empty where none is defined: strategies then have `ram` alone. */
export function atariStateVariables(game: AtariGame): StateVariable[] {
  return VARIABLES[game] ?? [];
}
