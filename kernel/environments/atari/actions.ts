/** The joystick's actions, in ALE's order. */
const JOYSTICK = [
  'NOOP', 'FIRE', 'UP', 'RIGHT', 'LEFT', 'DOWN', 'UPRIGHT', 'UPLEFT', 'DOWNRIGHT', 'DOWNLEFT', 'UPFIRE', 'RIGHTFIRE',
  'LEFTFIRE', 'DOWNFIRE', 'UPRIGHTFIRE', 'UPLEFTFIRE', 'DOWNRIGHTFIRE', 'DOWNLEFTFIRE',
];

/** The games that ALE plays, with the actions that each one uses: bit i is action i of the joystick. */
const MINIMAL_ACTIONS = {
  adventure: 0x3ffff,
  air_raid: 0x0181b,
  alien: 0x3ffff,
  amidar: 0x03c3f,
  assault: 0x0181f,
  asterix: 0x003fd,
  asteroids: 0x0fcff,
  atlantis: 0x01803,
  atlantis2: 0x01803,
  backgammon: 0x0001a,
  bank_heist: 0x3ffff,
  basic_math: 0x0003f,
  battle_zone: 0x3ffff,
  beam_rider: 0x018df,
  berzerk: 0x3ffff,
  blackjack: 0x00027,
  bowling: 0x02427,
  boxing: 0x3ffff,
  breakout: 0x0001b,
  carnival: 0x0181b,
  casino: 0x00027,
  centipede: 0x3ffff,
  chopper_command: 0x3ffff,
  crazy_climber: 0x003fd,
  crossbow: 0x3ffff,
  darkchambers: 0x3ffff,
  defender: 0x3ffff,
  demon_attack: 0x0181b,
  donkey_kong: 0x3ffff,
  double_dunk: 0x3ffff,
  earthworld: 0x3ffff,
  elevator_action: 0x3ffff,
  enduro: 0x01b3b,
  entombed: 0x3ffff,
  et: 0x3ffff,
  fishing_derby: 0x3ffff,
  flag_capture: 0x3ffff,
  freeway: 0x00025,
  frogger: 0x0003d,
  frostbite: 0x3ffff,
  galaxian: 0x0181b,
  gopher: 0x01c1f,
  gravitar: 0x3ffff,
  hangman: 0x3ffff,
  haunted_house: 0x3ffff,
  hero: 0x3ffff,
  human_cannonball: 0x3ffff,
  ice_hockey: 0x3ffff,
  jamesbond: 0x3ffff,
  journey_escape: 0x3fbfd,
  kaboom: 0x0001b,
  kangaroo: 0x3ffff,
  keystone_kapers: 0x03fff,
  king_kong: 0x0003f,
  klax: 0x3ffff,
  koolaid: 0x003fd,
  krull: 0x3ffff,
  kung_fu_master: 0x3fb3d,
  laser_gates: 0x3ffff,
  lost_luggage: 0x003fd,
  mario_bros: 0x3ffff,
  miniature_golf: 0x3ffff,
  montezuma_revenge: 0x3ffff,
  mr_do: 0x03c3f,
  ms_pacman: 0x003fd,
  name_this_game: 0x0181b,
  othello: 0x003ff,
  pacman: 0x0003d,
  phoenix: 0x0383b,
  pitfall: 0x3ffff,
  pitfall2: 0x3ffff,
  pong: 0x0181b,
  pooyan: 0x02427,
  private_eye: 0x3ffff,
  qbert: 0x0003f,
  riverraid: 0x3ffff,
  road_runner: 0x3ffff,
  robotank: 0x3ffff,
  seaquest: 0x3ffff,
  sir_lancelot: 0x0181b,
  skiing: 0x00019,
  solaris: 0x3ffff,
  space_invaders: 0x0181b,
  space_war: 0x3ffff,
  star_gunner: 0x3ffff,
  superman: 0x3ffff,
  surround: 0x0003d,
  tennis: 0x3ffff,
  tetris: 0x0003b,
  tic_tac_toe_3d: 0x003ff,
  time_pilot: 0x03c3f,
  trondead: 0x3ffff,
  turmoil: 0x01bff,
  tutankham: 0x01c3d,
  up_n_down: 0x02427,
  venture: 0x3ffff,
  video_checkers: 0x003c2,
  video_chess: 0x003ff,
  video_cube: 0x3ffff,
  video_pinball: 0x01c3f,
  wizard_of_wor: 0x03c3f,
  word_zapper: 0x3ffff,
  yars_revenge: 0x3ffff,
  zaxxon: 0x3ffff,
};

/** Name of a game, in ALE's spelling. */
export type AtariGame = keyof typeof MINIMAL_ACTIONS;

/** The games that can be played. */
export const ATARI_GAMES = Object.keys(MINIMAL_ACTIONS) as AtariGame[];

/** Games whose joystick has no fire button in ALE. */
const NO_FIRE_BUTTON = ['lost_luggage', 'skiing'];

/** Games where FIRE does nothing but serve: with auto-fire it is not among the actions. */
const FIRE_ONLY_SERVES = ['breakout'];

/** Names of the actions that a strategy can choose from; an action's ID is its index. The server's are the same. */
export function atariActions(game: AtariGame, autoFire: boolean, fullActionSpace: boolean): string[] {
  if (fullActionSpace) return JOYSTICK.filter(action => !(NO_FIRE_BUTTON.includes(game) && action.endsWith('FIRE')));
  const used = JOYSTICK.filter((_, bit) => (MINIMAL_ACTIONS[game] >> bit) & 1);
  return autoFire && FIRE_ONLY_SERVES.includes(game) ? used.filter(action => action !== 'FIRE') : used;
}
