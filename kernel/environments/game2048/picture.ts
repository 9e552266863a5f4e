import { SIZE, type Board } from './board';

/** Pixels of a cell and of the gap between cells. */
const CELL = 56;
const GAP = 6;

/** Pixels of the picture's sides. */
export const PICTURE_SIZE = SIZE * CELL + (SIZE + 1) * GAP;

/** Fill and text of a tile, by its power of two. */
const COLOURS = [
  '#cdc1b4',
  '#eee4da',
  '#ede0c8',
  '#f2b179',
  '#f59563',
  '#f67c5f',
  '#f65e3b',
  '#edcf72',
  '#edcc61',
  '#edc850',
  '#edc53f',
  '#edc22e',
];

/** Returns a board as an SVG picture of {@link PICTURE_SIZE} pixels on each side. */
export function boardSvg(board: Board): string {
  const tiles = board.map((tile, i) =>
    tileSvg(tile, GAP + (i % SIZE) * (CELL + GAP), GAP + Math.floor(i / SIZE) * (CELL + GAP)),
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${PICTURE_SIZE}" height="${PICTURE_SIZE}" viewBox="0 0 ${PICTURE_SIZE} ${PICTURE_SIZE}" font-family="sans-serif" font-weight="bold" text-anchor="middle">` +
    `<rect width="100%" height="100%" rx="6" fill="#bbada0"/>${tiles.join('')}</svg>`
  );
}

function tileSvg(tile: number, x: number, y: number): string {
  const fill = tile === 0 ? COLOURS[0] : (COLOURS[Math.log2(tile)] ?? '#3c3a32');
  const size = [24, 24, 24, 20, 16][String(tile).length - 1] ?? 12;
  const text =
    tile === 0
      ? ''
      : `<text x="${x + CELL / 2}" y="${y + CELL / 2 + size * 0.36}" font-size="${size}" fill="${tile < 8 ? '#776e65' : '#f9f6f2'}">${tile}</text>`;
  return `<rect x="${x}" y="${y}" width="${CELL}" height="${CELL}" rx="3" fill="${fill}"/>${text}`;
}
