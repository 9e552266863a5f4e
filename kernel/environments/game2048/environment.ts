import { Environment } from '../../openenv/serving';
import { ACTIONS, legalActions, move, SIZE } from './board';
import { boardSvg } from './picture';

/** A move of 2048. */
export interface Game2048Action {
  /** 0 up, 1 right, 2 down, 3 left. */
  action_id: 0 | 1 | 2 | 3;
}

/** What a player of 2048 sees. */
export interface Game2048Observation {
  /** 16 tile values, row by row from the top left, 0 for an empty cell. */
  board: number[];
  /** IDs of the moves that change the board. */
  legal_actions: number[];
  /** Sum of all merged tiles. */
  score: number;
  highest_tile: number;
}

/** Moves after which an episode ends, as in OpenSpiel. */
const MAXIMUM_MOVES = 8192;
const GOAL = 2048;

/**
 * The game 2048, with OpenSpiel's rules: a move slides all tiles, equal ones
 * merge, and a new tile comes, 2 in nine of ten cases, else 4. The reward is
 * the sum of the merged tiles. It ends with the tile 2048, when no move is
 * left, or after 8,192 moves. A move that changes nothing brings no new tile.
 */
export class Game2048 extends Environment<Game2048Action, Game2048Observation, { moves: number }> {
  static override metadata = { name: '2048', description: 'Slide and merge tiles until one shows 2048.' };
  static override schema = {
    action: {
      title: 'Game2048Action',
      type: 'object',
      properties: { action_id: { type: 'integer', minimum: 0, maximum: 3, description: '0 up, 1 right, 2 down, 3 left.', action_meanings: [...ACTIONS] } },
      required: ['action_id'],
    },
    observation: {
      title: 'Game2048Observation',
      type: 'object',
      properties: {
        board: { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 16, maxItems: 16, description: '16 tile values, row by row from the top left, 0 for an empty cell.' },
        legal_actions: { type: 'array', items: { type: 'integer' }, description: 'IDs of the moves that change the board.' },
        score: { type: 'integer', description: 'Sum of all merged tiles.' },
        highest_tile: { type: 'integer' },
      },
      required: ['board', 'legal_actions', 'score', 'highest_tile'],
    },
    state: { title: 'Game2048State', type: 'object', properties: { moves: { type: 'integer' } } },
  };

  private board: number[] = Array(SIZE * SIZE).fill(0);
  private score = 0;
  private moves = 0;

  reset() {
    this.board = Array(SIZE * SIZE).fill(0);
    [this.score, this.moves] = [0, 0];
    this.addTile();
    this.addTile();
    return { observation: this.observation() };
  }

  step({ action_id }: Game2048Action) {
    const { board, merged, changed } = move(this.board, action_id);
    this.board = board;
    this.score += merged;
    this.moves++;
    if (changed) this.addTile();
    const observation = this.observation();
    const done = observation.highest_tile >= GOAL || observation.legal_actions.length === 0 || this.moves >= MAXIMUM_MOVES;
    return { observation, reward: merged, done };
  }

  override get state() {
    return { moves: this.moves };
  }

  override render(): string {
    return boardSvg(this.board);
  }

  private observation(): Game2048Observation {
    return { board: [...this.board], legal_actions: legalActions(this.board), score: this.score, highest_tile: Math.max(...this.board) };
  }

  private addTile(): void {
    const empty = this.board.flatMap((tile, i) => (tile === 0 ? [i] : []));
    this.board[this.random.choice(empty)] = this.random.next() < 0.9 ? 2 : 4;
  }
}
