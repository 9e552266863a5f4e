import type { RolloutRow } from '../../kernel/display/rollouts';
import { decodeFrames } from '../frames/decode';
import type { RolloutsConnection } from './connection';
import type { Played } from './player';

/** Frames of an episode that a tile has, at most. */
const FRAMES = 60;
/** Episodes whose frames are kept, at most: about 100 KB each. */
const KEPT = 128;
/** Steps between two frames, at most: what a replay takes. */
const MOST_EVERY = 255;

interface Wish {
  row: RolloutRow;
  tile: Node | null;
  resolve(played: Played): void;
  reject(error: Error): void;
}

/**
 * Plays episodes again with few frames, one after another, for tiles and for the first
 * look at a rollout: only those that are wanted now, so that one that is opened waits for
 * one other at most.
 */
export class TileFrames {
  private readonly known = new Map<number, Played>();
  private wishes: Wish[] = [];
  private busy = false;

  constructor(private readonly connection: Pick<RolloutsConnection, 'replay'>) {}

  /** Returns frames that are here. */
  get(row: RolloutRow): Played | undefined {
    return this.known.get(row.id);
  }

  /**
   * Asks for the frames of a rollout. Returns a function that takes the wish back.
   *
   * @param tile where they are shown: those first on the page are made first; `null`: before all others
   */
  want(
    row: RolloutRow,
    tile: Node | null,
    resolve: (played: Played) => void,
    reject: (error: Error) => void,
  ): () => void {
    const wish = { row, tile, resolve, reject };
    this.wishes.push(wish);
    if (!this.busy) void this.work();
    return () => {
      this.wishes = this.wishes.filter((other) => other !== wish);
    };
  }

  private async work(): Promise<void> {
    this.busy = true;
    // Tiles that come into view together are told of it one after another.
    await new Promise((resolve) => window.setTimeout(resolve));
    for (let wish = this.next(); wish; wish = this.next()) {
      try {
        wish.resolve(await this.make(wish.row));
      } catch (error) {
        wish.reject(error as Error);
      }
    }
    this.busy = false;
  }

  private next(): Wish | null {
    if (this.wishes.length === 0) return null;
    const first = this.wishes.reduce((a, b) => (isBefore(b, a) ? b : a));
    this.wishes = this.wishes.filter((wish) => wish !== first);
    return first;
  }

  private async make(row: RolloutRow): Promise<Played> {
    const known = this.known.get(row.id);
    if (known) return known;
    const every = Math.min(MOST_EVERY, Math.max(1, Math.floor((row.steps ?? 0) / FRAMES)));
    const { data, frames } = await this.connection.replay(row.id, { every });
    const played = { data, frames: await decodeFrames(data.episode, frames), name: data.episode.environment };
    this.known.set(row.id, played);
    if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value!);
    return played;
  }
}

function isBefore({ tile }: Wish, { tile: other }: Wish): boolean {
  if (!tile || !other) return !tile && other !== null;
  return (tile.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
}
