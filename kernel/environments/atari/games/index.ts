import type { StateVariable } from '../../environment';
import type { AtariGame } from '../actions';
import { boxing } from './boxing';
import { breakout } from './breakout';
import { pong } from './pong';

const VARIABLES: { [game in AtariGame]?: StateVariable[] } = { boxing, breakout, pong };

/** The named state of a game; empty where none is defined: strategies then have `ram` alone. */
export function atariStateVariables(game: AtariGame): StateVariable[] {
  return VARIABLES[game] ?? [];
}
