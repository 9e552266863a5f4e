import type { RolloutRow } from '../../kernel/display/rollouts';
import { decodeFrames } from '../frames/decode';
import type { Frames } from '../frames/view';
import type { RolloutsConnection } from './connection';

/** Frames of an episode that a tile has, at most. */
const FRAMES = 60;
/** Episodes whose frames are kept, at most: about 100 KB each. */
const KEPT = 128;
/** Steps between two frames, at most: what a replay takes. */
const MOST_EVERY = 255;

interface Wish {
  row: RolloutRow;
  resolve(frames: Frames): void;
  reject(error: Error): void;
}

/**
 * Makes the frames of tiles again from the records, one episode after another: only of
 * those that are wanted now, so that a rollout that is opened waits for one at most.
 */
export class TileFrames {
  private readonly known = new Map<number, Frames>();
  private wishes: Wish[] = [];
  private busy = false;

  constructor(private readonly connection: Pick<RolloutsConnection, 'replay'>) {}

  /** Returns frames that are here. */
  get(row: RolloutRow): Frames | undefined {
    return this.known.get(row.id);
  }

  /** Asks for the frames of a rollout. Returns a function that takes the wish back. */
  want(row: RolloutRow, resolve: (frames: Frames) => void, reject: (error: Error) => void): () => void {
    const wish = { row, resolve, reject };
    this.wishes.push(wish);
    if (!this.busy) void this.work();
    return () => {
      this.wishes = this.wishes.filter((other) => other !== wish);
    };
  }

  private async work(): Promise<void> {
    this.busy = true;
    for (let wish = this.wishes.shift(); wish; wish = this.wishes.shift()) {
      try {
        wish.resolve(await this.make(wish.row));
      } catch (error) {
        wish.reject(error as Error);
      }
    }
    this.busy = false;
  }

  private async make(row: RolloutRow): Promise<Frames> {
    const known = this.known.get(row.id);
    if (known) return known;
    const every = Math.min(MOST_EVERY, Math.max(1, Math.floor((row.steps ?? 0) / FRAMES)));
    const { data, frames } = await this.connection.replay(row.id, { every });
    const decoded = await decodeFrames(data.episode, frames);
    this.known.set(row.id, decoded);
    if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value!);
    return decoded;
  }
}
