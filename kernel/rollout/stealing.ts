import { openVectorEnvs, type VectorEnv, type VectorSource } from '../environments/vectorEnv';

/**
 * Work stealing: the server of a worker that has no episodes left takes some of
 * another's. Episodes differ in length; without it the worker with the longest plays
 * on alone while cores are idle.
 */
export class WorkStealing {
  /** The source of each vector environment that was opened at another worker's server. */
  private readonly stolen = new WeakMap<VectorEnv, number>();

  /**
   * @param sources the sources of all workers
   * @param own index of this worker's source
   * @param idle a cell for each of `sources`, shared by all workers: 1 where its server
   *   is idle
   */
  constructor(
    private readonly sources: VectorSource[],
    private readonly own: number,
    private readonly idle: Int32Array,
  ) {}

  /** Marks the server of a vector environment that has no episodes left as idle. */
  closed(env: VectorEnv): void {
    Atomics.store(this.idle, this.stolen.get(env) ?? this.own, 1);
  }

  /** Opens a vector environment of `numEnvs` sub-environments at an idle server; `undefined` where all are busy. */
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
