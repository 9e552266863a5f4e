/** Where the tiles of a wall are, in CSS pixels. */
export interface WallLayout {
  columns: number;
  rows: number;
  /** Size of a tile's picture. */
  width: number;
  height: number;
  /** From a tile's edge to that of the next. */
  across: number;
  down: number;
}

const TILE = { least: 96, narrow: 70, most: 210 };
const GAP = 8;
/** Height of the label below a picture. */
const LABEL = 20;

/** Puts a tile where the layout has it. */
export function placeTile(
  tile: HTMLElement,
  picture: HTMLElement,
  index: number,
  { columns, width, height, across, down }: WallLayout,
): void {
  tile.style.left = `${(index % columns) * across}px`;
  tile.style.top = `${Math.floor(index / columns) * down}px`;
  tile.style.width = `${width}px`;
  picture.style.height = `${height}px`;
}

/** Returns the places of `count` tiles in rows that are about equally full. @param aspect width divided by height of a picture */
export function layOut(count: number, place: number, aspect: number): WallLayout {
  const least = place < 480 ? TILE.narrow : TILE.least;
  const fit = Math.max(1, Math.floor((place + GAP) / (least + GAP)));
  const rows = Math.ceil(count / fit);
  const columns = Math.ceil(count / Math.max(1, rows));
  const width = Math.min(TILE.most, Math.floor((place + GAP) / columns) - GAP);
  const height = Math.round(width / aspect);
  return { columns, rows, width, height, across: width + GAP, down: height + LABEL + GAP };
}
