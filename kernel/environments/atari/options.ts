import { defined } from '../../common/defined';
import { invalidArgument } from '../../openenv/errors';
import { nearestFirst } from '../../common/names';
import { ATARI_GAMES, GAMES, type AtariGame } from './catalog';

/** Options of `openenv('atari', …)`. */
export interface AtariOptions {
  /** The game, in ALE's spelling: "breakout", "space_invaders"… */
  game: AtariGame;
  /** Frames per step, each with the step's action; default 4. */
  frameSkip?: number;
  /** Sticky actions: probability that a frame repeats the action of the frame before; default 0.25. */
  repeatActionProbability?: number;
  /**
   * The environment presses FIRE itself when a life waits for it; default true.
   * In games where FIRE does nothing else it is then not among the actions.
   */
  autoFire?: boolean;
  /**
   * An episode ends with the first life that is lost, as in Gymnasium's
   * AtariPreprocessing, not with the game; default false. Every episode still
   * begins with a new game: the same seed is the same episode.
   */
  terminalOnLifeLoss?: boolean;
  /** The game's mode and difficulty, by ALE's numbers; default: the game's own. */
  mode?: number;
  difficulty?: number;
  /** All 18 actions of the joystick instead of those that the game uses; default false. */
  fullActionSpace?: boolean;
  /** An episode begins with 0 to this many idle frames, drawn from its seed; default 30. */
  noopMax?: number;
  /** An episode is cut off (`truncated`) after this many frames; default 108,000, half an hour. */
  maxFrames?: number;
  /** "screen" adds the screen to every observation; default "ram". */
  obsType?: 'ram' | 'screen';
}

/** Options of `openenv('atari', …)`: the game's, and a time limit. */
export interface AtariOpenOptions extends AtariOptions {
  /** Milliseconds that the game's process has for an answer; default 60,000. One that takes longer counts as frozen: it is ended, and another one plays. */
  messageTimeout?: number;
}

/** Options with their defaults; `undefined` where the game has its own. */
export type ResolvedAtariOptions = Required<Omit<AtariOptions, 'mode' | 'difficulty'>> &
  Pick<AtariOptions, 'mode' | 'difficulty'>;

/** Games of which ale-py has a ROM and no rules for score, end and actions, so that it cannot load them: they are for two players. */
const TWO_PLAYER_GAMES = ['combat', 'joust', 'maze_craze', 'warlords'];

const DEFAULTS = {
  frameSkip: 4,
  repeatActionProbability: 0.25,
  autoFire: true,
  terminalOnLifeLoss: false,
  mode: undefined,
  difficulty: undefined,
  fullActionSpace: false,
  noopMax: 30,
  maxFrames: 108_000,
  obsType: 'ram' as const,
};

const NAMES = ['game', ...Object.keys(DEFAULTS)];

/** The check of each option, and its valid values in words. */
const CHECKS: Record<keyof typeof DEFAULTS, [(value: any) => boolean, string]> = {
  frameSkip: wholeNumber(1, 60),
  repeatActionProbability: [(value) => typeof value === 'number' && value >= 0 && value <= 1, 'a number from 0 to 1'],
  autoFire: [(value) => typeof value === 'boolean', 'true or false'],
  terminalOnLifeLoss: [(value) => typeof value === 'boolean', 'true or false'],
  mode: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  difficulty: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  fullActionSpace: [(value) => typeof value === 'boolean', 'true or false'],
  noopMax: wholeNumber(0, 600),
  maxFrames: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  obsType: [(value) => value === 'ram' || value === 'screen', '"ram" or "screen"'],
};

function wholeNumber(minimum: number, maximum: number): [(value: any) => boolean, string] {
  const upTo = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  return [(value) => Number.isInteger(value) && value >= minimum && value <= maximum, `a whole number ${upTo}`];
}

/** Checks the options of `openenv('atari', …)`, and returns the game's apart, since servers and records have those only. Throws `INVALID_ARGUMENT`. */
export function resolveOpenOptions(options: object | undefined): {
  resolved: ResolvedAtariOptions;
  messageTimeout: number | undefined;
} {
  const { messageTimeout, ...game } = (options ?? {}) as AtariOpenOptions;
  if (messageTimeout !== undefined && !(typeof messageTimeout === 'number' && messageTimeout > 0)) {
    throw invalidArgument(
      `messageTimeout must be a number of milliseconds above 0, not ${JSON.stringify(messageTimeout)}.`,
    );
  }
  return { resolved: resolveAtariOptions(game), messageTimeout };
}

/** Returns the options of a game with their defaults. Throws `INVALID_ARGUMENT`, with the valid values, when one is not valid. */
export function resolveAtariOptions(options: object | undefined): ResolvedAtariOptions {
  const given: Record<string, unknown> = { ...options };
  for (const name of Object.keys(given)) {
    if (NAMES.includes(name)) continue;
    throw invalidArgument(
      `'atari' has no option '${name}'. The options are: ${nearestFirst(name, [...NAMES, 'messageTimeout']).join(', ')}.`,
    );
  }
  if (!ATARI_GAMES.includes(given.game as AtariGame)) {
    const games = nearestFirst(String(given.game ?? ''), ATARI_GAMES);
    const problem = TWO_PLAYER_GAMES.includes(String(given.game))
      ? `'${given.game}' is a game for two players only: ALE brings its ROM along but cannot load it, as it has no rules for it that tell score and end.`
      : given.game === undefined
        ? `'atari' needs a game: openenv('atari', { game: 'breakout' }).`
        : `There is no Atari game '${given.game}'. Did you mean '${games[0]}'?`;
    throw invalidArgument(`${problem} The games are: ${games.join(', ')}.`);
  }
  for (const [name, [valid, wanted]] of Object.entries(CHECKS)) {
    if (given[name] === undefined || valid(given[name])) continue;
    throw invalidArgument(`${name} must be ${wanted}, not ${JSON.stringify(given[name])}.`);
  }
  for (const name of ['mode', 'difficulty'] as const) {
    const valid =
      given[name] === undefined ? undefined : otherModes(given.game as AtariGame, name, given[name] as number);
    if (valid !== undefined) throw invalidArgument(`'${given.game}' has no ${name} ${given[name]}. Valid: ${valid}.`);
  }
  return { ...DEFAULTS, ...defined(given) } as ResolvedAtariOptions;
}

/** Returns the valid modes or difficulties of a game in words when `value` is not one of them; else undefined. */
export function otherModes(game: AtariGame, name: 'mode' | 'difficulty', value: number): string | undefined {
  const ranges = GAMES[game][name === 'mode' ? 'modes' : 'difficulties']
    .split(' ')
    .map((range) => range.split('-').map(Number));
  if (ranges.some(([from, to = from]) => value >= from && value <= to)) return undefined;
  return ranges.map(([from, to = from]) => (from === to ? `${from}` : `${from} to ${to}`)).join(', ');
}
