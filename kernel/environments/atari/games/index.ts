import type { AtariVariable } from './variables';
import type { AtariGame } from '../catalog';
import { bowling } from './bowling';
import { boxing } from './boxing';
import { breakout } from './breakout';
import { demonAttack } from './demonAttack';
import { freeway } from './freeway';
import { msPacman } from './msPacman';
import { pong } from './pong';
import { qbert } from './qbert';
import { seaquest } from './seaquest';
import { skiing } from './skiing';
import { spaceInvaders } from './spaceInvaders';
import { tennis } from './tennis';

const VARIABLES: { [game in AtariGame]?: AtariVariable[] } = {
  bowling,
  boxing,
  breakout,
  demon_attack: demonAttack,
  freeway,
  ms_pacman: msPacman,
  pong,
  qbert,
  seaquest,
  skiing,
  space_invaders: spaceInvaders,
  tennis,
};

/** Returns the variables of a game's named state; empty where none are defined: strategies then have `ram` only. */
export function atariStateVariables(game: AtariGame): AtariVariable[] {
  return VARIABLES[game] ?? [];
}
