import { openVectorEnvs, type VectorEnv, type VectorSource } from '../environments/vectorEnv';

/**
 * Work stealing: the server of a worker that has no episodes left takes some of
 * another's. Episodes end when they like; without it the worker with the long
 * ones plays on alone while cores are idle.
 */
export class WorkStealing {
  /** The source of each vector environment that was opened of another worker's. */
  private readonly stolen = new WeakMap<VectorEnv, number>();

  /**
   * `idle`: a cell for each of `sources`, shared by all workers: 1 where its server has nothing to do.
   * `own`: the source of this worker.
   */
  constructor(
    private readonly sources: VectorSource[],
    private readonly own: number,
    private readonly idle: Int32Array,
  ) {}

  /** A vector environment has no episodes left: its server has nothing to do. */
  closed(env: VectorEnv): void {
    Atomics.store(this.idle, this.stolen.get(env) ?? this.own, 1);
  }

  /** A vector environment of a server that has nothing to do, with room for so many episodes; nothing where all are busy. */
  async steal(numEnvs: number): Promise<VectorEnv | undefined> {
    const other = this.sources.findIndex((_, i) => Atomics.compareExchange(this.idle, i, 1, 0) === 1);
    if (other < 0) return undefined;
    // A server that is gone is not asked again.
    const env = await openVectorEnvs(this.sources[other])
      .open(numEnvs)
      .catch(() => undefined);
    if (typeof env !== 'object') return undefined;
    this.stolen.set(env, other);
    return env;
  }
}
