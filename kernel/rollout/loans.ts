import type { SleepCells } from '../openenv/vector';
import { openEngine, type LaneAddress } from './lane';
import type { Engine } from './play';

/**
 * The servers of a rollout, among the threads that play it: one that has no
 * games left takes some of another's. Episodes end when they like; without
 * loans the lane with the long ones plays on alone while cores are idle.
 */
export class Loans {
  /**
   * `idle`: a cell for each of `lanes`, shared by all threads: 1 where the server has nothing to do.
   * `onCores`: each has the core of its number. `sleep`: this thread's.
   */
  constructor(private readonly lanes: LaneAddress[], private readonly idle: Int32Array, private readonly onCores: boolean, private readonly sleep: SleepCells) {}

  /** The server of a lane has nothing to do. */
  offer(lane: number): void {
    Atomics.store(this.idle, lane, 1);
  }

  /** A server that has nothing to do, with room for `slots` games; nothing where all are busy. */
  async borrow(slots: number): Promise<Engine | undefined> {
    const lane = this.lanes.findIndex((_, i) => Atomics.compareExchange(this.idle, i, 1, 0) === 1);
    const address = this.lanes[lane];
    if (address?.kind !== 'vector') return undefined;
    // One that is gone is not offered again.
    const place = this.onCores ? { core: lane } : undefined;
    return openEngine(address, slots, { place, sleep: this.sleep, idle: () => this.offer(lane) }).catch(() => undefined);
  }
}
