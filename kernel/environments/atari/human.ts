import type { HumanReturn } from '../reference';
import type { AtariGame } from './actions';
import type { ResolvedAtariOptions } from './options';

/** The published scale of human-normalised scores; the same numbers are in Badia et al. 2020 (Agent57). */
const SOURCE = 'Wang et al. 2016';

/** Mean scores of professional human testers, who played whole games (of 5 minutes at most) as games begin. */
const HUMAN: { readonly [game in AtariGame]?: number } = {
  alien: 7127.7,
  amidar: 1719.5,
  assault: 742,
  asterix: 8503.3,
  asteroids: 47388.7,
  atlantis: 29028.1,
  bank_heist: 753.1,
  battle_zone: 37187.5,
  beam_rider: 16926.5,
  berzerk: 2630.4,
  bowling: 160.7,
  boxing: 12.1,
  breakout: 30.5,
  centipede: 12017,
  chopper_command: 7387.8,
  crazy_climber: 35829.4,
  defender: 18688.9,
  demon_attack: 1971,
  double_dunk: -16.4,
  enduro: 860.5,
  fishing_derby: -38.7,
  freeway: 29.6,
  frostbite: 4334.7,
  gopher: 2412.5,
  gravitar: 3351.4,
  hero: 30826.4,
  ice_hockey: 0.9,
  jamesbond: 302.8,
  kangaroo: 3035,
  krull: 2665.5,
  kung_fu_master: 22736.3,
  montezuma_revenge: 4753.3,
  ms_pacman: 6951.6,
  name_this_game: 8049,
  phoenix: 7242.6,
  pitfall: 6463.7,
  pong: 14.6,
  private_eye: 69571.3,
  qbert: 13455,
  riverraid: 17118,
  road_runner: 7845,
  robotank: 11.9,
  seaquest: 42054.7,
  skiing: -4336.9,
  solaris: 12326.7,
  space_invaders: 1668.7,
  star_gunner: 10250,
  surround: 6.5,
  tennis: -8.3,
  time_pilot: 5229.2,
  tutankham: 167.6,
  up_n_down: 11693.2,
  venture: 1187.5,
  video_pinball: 17667.9,
  wizard_of_wor: 4756.5,
  yars_revenge: 54576.9,
  zaxxon: 9173.3,
};

/** What a human gets in a game; undefined where nobody has published it for these options. */
export function humanReturn({
  game,
  mode,
  difficulty,
  terminalOnLifeLoss,
}: Partial<ResolvedAtariOptions>): HumanReturn | undefined {
  const mean = HUMAN[game!];
  const asMeasured = mode === undefined && difficulty === undefined && !terminalOnLifeLoss;
  return mean === undefined || !asMeasured ? undefined : { mean, source: SOURCE };
}
