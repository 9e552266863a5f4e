/** A board of 2048: 16 tile values, row by row from the top left, 0 for an empty cell. */
export type Board = readonly number[];

/** Cells of a row and of a column. */
export const SIZE = 4;

/** Names of the actions; an action's ID is its index. */
export const ACTIONS = ['UP', 'RIGHT', 'DOWN', 'LEFT'] as const;

/** The result of a move. */
export interface Moved {
  board: number[];
  /** Sum of the tiles that the move made by merging. */
  merged: number;
  /** Whether the board has changed. */
  changed: boolean;
}

/** Returns the board after a move that slides and merges all tiles, each at most once, those in front first. It adds no new tile. */
export function move(board: Board, actionId: number): Moved {
  const result = [...board];
  let merged = 0;
  for (let line = 0; line < SIZE; line++) {
    const cells = lineCells(actionId, line);
    const [tiles, sum] = slide(cells.map((cell) => board[cell]));
    cells.forEach((cell, i) => (result[cell] = tiles[i]));
    merged += sum;
  }
  return { board: result, merged, changed: result.some((tile, i) => tile !== board[i]) };
}

/** Returns the IDs of the actions that change the board. */
export function legalActions(board: Board): number[] {
  return ACTIONS.map((_, id) => id).filter((id) => move(board, id).changed);
}

/** The gains of a move: all −1 when it changes nothing. */
export interface Outlook {
  /** Points of the move itself: the sum of the tiles that it merges. */
  points: number;
  /** Empty cells after it, before the new tile is added. */
  empty: number;
  /** Pairs of equal neighbours after it: merges that may follow. */
  pairs: number;
  /** Cells that are empty after it, or that one of those merges may empty: `empty` and `pairs` in one number. */
  room: number;
}

/** Returns the gains of a move. */
export function outlook(board: Board, actionId: number): Outlook {
  const { board: after, merged, changed } = move(board, actionId);
  if (!changed) return { points: -1, empty: -1, pairs: -1, room: -1 };
  const [empty, pairs] = [after.filter((tile) => tile === 0).length, equalNeighbours(after)];
  return { points: merged, empty, pairs, room: empty + pairs };
}

function equalNeighbours(board: Board): number {
  let pairs = 0;
  board.forEach((tile, i) => {
    if (tile === 0) return;
    if (i % SIZE < SIZE - 1 && board[i + 1] === tile) pairs++;
    if (board[i + SIZE] === tile) pairs++;
  });
  return pairs;
}

/** Returns the indices of the cells of a row or column, beginning where the tiles slide to. */
function lineCells(actionId: number, line: number): number[] {
  const vertical = actionId % 2 === 0;
  const cells = Array.from({ length: SIZE }, (_, i) => (vertical ? i * SIZE + line : line * SIZE + i));
  return ACTIONS[actionId] === 'UP' || ACTIONS[actionId] === 'LEFT' ? cells : cells.reverse();
}

/** Returns a line after its tiles have slid to the front, and the sum of the merged ones. */
function slide(line: number[]): [tiles: number[], merged: number] {
  const waiting = line.filter((tile) => tile !== 0);
  const tiles: number[] = [];
  let merged = 0;
  while (waiting.length > 0) {
    const tile = waiting.shift()!;
    if (waiting[0] !== tile) tiles.push(tile);
    else {
      tiles.push(tile + waiting.shift()!);
      merged += 2 * tile;
    }
  }
  return [[...tiles, ...Array(SIZE - tiles.length).fill(0)], merged];
}
