import { Environment } from '../../openenv/serving';
import { ACTIONS, legalActions, move, outlook, SIZE, type Outlook } from './board';
import { boardSvg } from './picture';

/** A move of 2048. */
export interface Game2048Action {
  /** 0 up, 1 right, 2 down, 3 left. */
  action_id: 0 | 1 | 2 | 3;
}

/** The gains of each move: `up_points`, `left_empty` …; −1 when it changes nothing. */
export type Game2048Outlook = { [Name in `${Lowercase<(typeof ACTIONS)[number]>}_${keyof Outlook}`]: number };

/** The observation of 2048: the board, and the gains of each move. */
export interface Game2048Observation extends Game2048Outlook {
  /** 16 tile values, row by row from the top left, 0 for an empty cell. */
  board: number[];
  /** IDs of the moves that change the board. */
  legal_actions: number[];
  /** Sum of all merged tiles. */
  score: number;
  /** The largest tile value. */
  highest_tile: number;
  /** Moves in a row, up to now, that changed nothing; at most 3. */
  blocked: number;
}

/** Moves after which an episode ends, as in OpenSpiel. */
const MAXIMUM_MOVES = 8192;
const GOAL = 2048;

const NUMBERS: Record<keyof Outlook, { description: string; maximum: number }> = {
  points: { description: 'points that MOVE makes', maximum: 2048 },
  empty: { description: 'empty cells after MOVE', maximum: 15 },
  pairs: { description: 'pairs of equal neighbours after MOVE', maximum: 24 },
  room: { description: 'empty cells and pairs of equal neighbours after MOVE', maximum: 30 },
};
/** The largest number of blocked moves that is told: a fourth one finds a way, or there is none. */
const MOST_BLOCKED = ACTIONS.length - 1;

/** The variables of the gains of all moves: `up_points`, `up_empty` …; −1 when the move changes nothing. */
export const OUTLOOK_VARIABLES = ACTIONS.flatMap((move) =>
  Object.entries(NUMBERS).map(([what, { description, maximum }]) => ({
    name: `${move.toLowerCase()}_${what}`,
    description: description.replace('MOVE', move),
    minimum: -1,
    maximum,
  })),
);

/** Has no descriptions: small models know plain numbers with ranges best. */
const OUTLOOK_SCHEMA = Object.fromEntries(
  OUTLOOK_VARIABLES.map(({ name, minimum, maximum }) => [name, { type: 'integer', minimum, maximum }]),
);

const DESCRIPTION =
  'Slide and merge tiles until one shows 2048. Of each move it tells the points that it makes, and how many cells are empty and how many pairs of equal neighbours there are after it, also as one sum (room); -1 where it changes nothing.';

/**
 * The game 2048, with OpenSpiel's rules: a move slides all tiles, equal ones
 * merge, and a new tile is added, 2 with probability 0.9, else 4. The reward is
 * the sum of the merged tiles. An episode ends with the tile 2048, when no move
 * is left, or after 8,192 moves. A move that changes nothing adds no new tile.
 *
 * The observation also has the gains of each move, so that a short program can
 * compare the moves, and how many moves in a row changed nothing: a program that
 * does not look at that repeats such a move for ever.
 */
export class Game2048 extends Environment<Game2048Action, Game2048Observation, { moves: number }> {
  static override metadata = { name: '2048', description: DESCRIPTION };
  static override schema = {
    action: {
      title: 'Game2048Action',
      type: 'object',
      properties: {
        action_id: {
          type: 'integer',
          minimum: 0,
          maximum: 3,
          description: '0 up, 1 right, 2 down, 3 left.',
          action_meanings: [...ACTIONS],
        },
      },
      required: ['action_id'],
    },
    observation: {
      title: 'Game2048Observation',
      type: 'object',
      properties: {
        board: {
          type: 'array',
          items: { type: 'integer', minimum: 0 },
          minItems: 16,
          maxItems: 16,
          description: '16 tile values, row by row from the top left, 0 for an empty cell.',
        },
        legal_actions: {
          type: 'array',
          items: { type: 'integer' },
          description: 'IDs of the moves that change the board.',
        },
        ...OUTLOOK_SCHEMA,
        score: { type: 'integer', description: 'Sum of all merged tiles.' },
        highest_tile: { type: 'integer' },
        blocked: { type: 'integer', minimum: 0, maximum: MOST_BLOCKED },
      },
      required: ['board', 'legal_actions', ...Object.keys(OUTLOOK_SCHEMA), 'score', 'highest_tile', 'blocked'],
    },
    state: { title: 'Game2048State', type: 'object', properties: { moves: { type: 'integer' } } },
  };

  private board: number[] = Array(SIZE * SIZE).fill(0);
  private score = 0;
  private moves = 0;
  private blocked = 0;
  private seen!: Game2048Observation;

  reset() {
    this.board = Array(SIZE * SIZE).fill(0);
    [this.score, this.moves, this.blocked] = [0, 0, 0];
    this.addTile();
    this.addTile();
    return { observation: this.observation() };
  }

  step({ action_id }: Game2048Action) {
    const { board, merged, changed } = move(this.board, action_id);
    this.board = board;
    this.score += merged;
    this.moves++;
    this.blocked = changed ? 0 : Math.min(MOST_BLOCKED, this.blocked + 1);
    if (changed) this.addTile();
    // A program that is stuck repeats such a move: all but `blocked` is seen as before.
    const observation = changed ? this.observation() : { ...this.seen, blocked: this.blocked };
    const done =
      observation.highest_tile >= GOAL || observation.legal_actions.length === 0 || this.moves >= MAXIMUM_MOVES;
    return { observation, reward: merged, done };
  }

  override get state() {
    return { moves: this.moves };
  }

  override render(): string {
    return boardSvg(this.board);
  }

  private observation(): Game2048Observation {
    const { board, score, blocked } = this;
    this.seen = {
      board: [...board],
      legal_actions: legalActions(board),
      ...outlooks(board),
      score,
      highest_tile: Math.max(...board),
      blocked,
    };
    return this.seen;
  }

  private addTile(): void {
    const empty = this.board.flatMap((tile, i) => (tile === 0 ? [i] : []));
    this.board[this.random.choice(empty)] = this.random.next() < 0.9 ? 2 : 4;
  }
}

function outlooks(board: readonly number[]): Game2048Outlook {
  const entries = ACTIONS.flatMap((name, id) =>
    Object.entries(outlook(board, id)).map(([what, value]) => [`${name.toLowerCase()}_${what}`, value]),
  );
  return Object.fromEntries(entries) as Game2048Outlook;
}
