/** Facts about a game. */
export interface GameFacts {
  /** The actions that it uses: bit i is action i of the joystick. */
  actions: number;
  /** Its modes and difficulties, as ALE gives them: numbers, and ranges of numbers. */
  modes: string;
  difficulties: string;
  /** Published mean score of professional human testers, who played whole games of at most 5 minutes from their usual start; undefined where there is none. */
  human?: number;
}

function facts(actions: number, modes: string, difficulties: string, human?: number): GameFacts {
  return { actions, modes, difficulties, human };
}

const VIDEO_CUBE_MODES = Array.from({ length: 51 }, (_, i) => `${100 * i}-${100 * i + 2}`).join(' ');

/** The games of ALE, in its spelling: actions, modes, difficulties, a human's score. */
export const GAMES = {
  adventure: facts(0x3ffff, '0-2', '0-3'),
  air_raid: facts(0x0181b, '1-8', '0'),
  alien: facts(0x3ffff, '0-3', '0-3', 7127.7),
  amidar: facts(0x03c3f, '0', '0 3', 1719.5),
  assault: facts(0x0181f, '0', '0', 742),
  asterix: facts(0x003fd, '0', '0', 8503.3),
  asteroids: facts(0x0fcff, '0-31 128', '0 3', 47388.7),
  atlantis: facts(0x01803, '0-3', '0', 29028.1),
  atlantis2: facts(0x01803, '0', '0'),
  backgammon: facts(0x0001a, '0', '3'),
  bank_heist: facts(0x3ffff, '0 4 8 12 16 20 24 28', '0-3', 753.1),
  basic_math: facts(0x0003f, '5-8', '0 2-3'),
  battle_zone: facts(0x3ffff, '1-3', '0', 37187.5),
  beam_rider: facts(0x018df, '0', '0-1', 16926.5),
  berzerk: facts(0x3ffff, '1-9 16-18', '0', 2630.4),
  blackjack: facts(0x00027, '0', '0-3'),
  bowling: facts(0x02427, '0 2 4', '0-1', 160.7),
  boxing: facts(0x3ffff, '0', '0-3', 12.1),
  breakout: facts(0x0001b, '0 4 8 12 16 20 24 28 32 36 40 44', '0-1', 30.5),
  carnival: facts(0x0181b, '0', '0'),
  casino: facts(0x00027, '0 2-3', '0-3'),
  centipede: facts(0x3ffff, '22 86', '0', 12017),
  chopper_command: facts(0x3ffff, '0 2', '0-1', 7387.8),
  crazy_climber: facts(0x003fd, '0-3', '0-1', 35829.4),
  crossbow: facts(0x3ffff, '0 2 4 6', '0-1'),
  darkchambers: facts(0x3ffff, '0', '0'),
  defender: facts(0x3ffff, '1-9 16', '0-1', 18688.9),
  demon_attack: facts(0x0181b, '1 3 5 7', '0-1', 1971),
  donkey_kong: facts(0x3ffff, '0', '0'),
  double_dunk: facts(0x3ffff, '0-15', '0', -16.4),
  earthworld: facts(0x3ffff, '0', '0'),
  elevator_action: facts(0x3ffff, '0', '0'),
  enduro: facts(0x01b3b, '0', '0', 860.5),
  entombed: facts(0x3ffff, '0', '0 2'),
  et: facts(0x3ffff, '0-2', '0-3'),
  fishing_derby: facts(0x3ffff, '0', '0-3', -38.7),
  flag_capture: facts(0x3ffff, '8-10', '0'),
  freeway: facts(0x00025, '0-7', '0-1', 29.6),
  frogger: facts(0x0003d, '0-2', '0-1'),
  frostbite: facts(0x3ffff, '0 2', '0', 4334.7),
  galaxian: facts(0x0181b, '1-9', '0-1'),
  gopher: facts(0x01c1f, '0 2', '0-1', 2412.5),
  gravitar: facts(0x3ffff, '0-4', '0', 3351.4),
  hangman: facts(0x3ffff, '0-3', '0-1'),
  haunted_house: facts(0x3ffff, '0-8', '0-1'),
  hero: facts(0x3ffff, '0-4', '0', 30826.4),
  human_cannonball: facts(0x3ffff, '0-7', '0-1'),
  ice_hockey: facts(0x3ffff, '0 2', '0-3', 0.9),
  jamesbond: facts(0x3ffff, '0-1', '0', 302.8),
  journey_escape: facts(0x3fbfd, '0', '0-1'),
  kaboom: facts(0x0001b, '0', '0'),
  kangaroo: facts(0x3ffff, '0-1', '0', 3035),
  keystone_kapers: facts(0x03fff, '0', '0'),
  king_kong: facts(0x0003f, '0-3', '0'),
  klax: facts(0x3ffff, '0-2', '0'),
  koolaid: facts(0x003fd, '0', '0'),
  krull: facts(0x3ffff, '0', '0', 2665.5),
  kung_fu_master: facts(0x3fb3d, '0', '0', 22736.3),
  laser_gates: facts(0x3ffff, '0', '0'),
  lost_luggage: facts(0x003fd, '0-1', '0-1'),
  mario_bros: facts(0x3ffff, '0 2 4 6', '0'),
  miniature_golf: facts(0x3ffff, '0', '0-1'),
  montezuma_revenge: facts(0x3ffff, '0', '0', 4753.3),
  mr_do: facts(0x03c3f, '0-3', '0'),
  ms_pacman: facts(0x003fd, '0-3', '0', 6951.6),
  name_this_game: facts(0x0181b, '8 24 40', '0-1', 8049),
  othello: facts(0x003ff, '0-2', '0 2'),
  pacman: facts(0x0003d, '0-7', '0-1'),
  phoenix: facts(0x0383b, '0', '0', 7242.6),
  pitfall: facts(0x3ffff, '0', '0', 6463.7),
  pitfall2: facts(0x3ffff, '0', '0'),
  pong: facts(0x0181b, '0-1', '0-3', 14.6),
  pooyan: facts(0x02427, '10 30 50 70', '0'),
  private_eye: facts(0x3ffff, '0-4', '0-3', 69571.3),
  qbert: facts(0x0003f, '0', '0-1', 13455),
  riverraid: facts(0x3ffff, '0', '0-1', 17118),
  road_runner: facts(0x3ffff, '0', '0', 7845),
  robotank: facts(0x3ffff, '0', '0', 11.9),
  seaquest: facts(0x3ffff, '0', '0-1', 42054.7),
  sir_lancelot: facts(0x0181b, '0', '0'),
  skiing: facts(0x00019, '0', '0', -4336.9),
  solaris: facts(0x3ffff, '0', '0', 12326.7),
  space_invaders: facts(0x0181b, '0-15', '0-1', 1668.7),
  space_war: facts(0x3ffff, '6-17', '0'),
  star_gunner: facts(0x3ffff, '0-3', '0', 10250),
  superman: facts(0x3ffff, '0', '0-3'),
  surround: facts(0x0003d, '0 2', '0-3', 6.5),
  tennis: facts(0x3ffff, '0 2', '0-3', -8.3),
  tetris: facts(0x0003b, '0', '0'),
  tic_tac_toe_3d: facts(0x003ff, '0-8', '0 2'),
  time_pilot: facts(0x03c3f, '0', '0-2', 5229.2),
  trondead: facts(0x3ffff, '0', '0-1'),
  turmoil: facts(0x01bff, '0-8', '0'),
  tutankham: facts(0x01c3d, '0 4 8 12', '0', 167.6),
  up_n_down: facts(0x02427, '0', '0-3', 11693.2),
  venture: facts(0x3ffff, '0', '0-3', 1187.5),
  video_checkers: facts(0x003c2, '1-9 11-19', '0'),
  video_chess: facts(0x003ff, '0-4', '0'),
  video_cube: facts(0x3ffff, VIDEO_CUBE_MODES, '0-1'),
  video_pinball: facts(0x01c3f, '0 2', '0-1', 17667.9),
  wizard_of_wor: facts(0x03c3f, '0', '0-1', 4756.5),
  word_zapper: facts(0x3ffff, '0-23', '0-3'),
  yars_revenge: facts(0x3ffff, '0 32 64 96', '0-1', 54576.9),
  zaxxon: facts(0x3ffff, '0 8 16 24', '0', 9173.3),
};

/** Name of a game, in ALE's spelling. */
export type AtariGame = keyof typeof GAMES;

/** The games that can be played. */
export const ATARI_GAMES = Object.keys(GAMES) as AtariGame[];

/** Returns a game's name as people write it: "space_invaders" is "Space Invaders". */
export function gameTitle(game: string): string {
  return game
    .split('_')
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join(' ');
}
