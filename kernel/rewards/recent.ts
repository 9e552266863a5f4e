import type { Sample } from './sample';
import type { RewardTable } from './scoring';

/** The scored samples of one training step, kept so that another reward function can score them again. */
export interface RolloutBatch {
  step: number;
  /** Samples, group after group. */
  samples: Sample[];
  /** Samples of a group. */
  groupSize: number;
  /** Their rewards. A function that failed has no column. */
  table: RewardTable;
  /** Seconds that a reward function may take for one sample. */
  timeLimit?: number;
  /** Steps of the run. */
  maxSteps?: number;
  /** Returns the advantages from rewards, by the settings of the run: one per sample. */
  advantages(table: RewardTable): ArrayLike<number>;
}

/** The newest rollouts of training runs: at most `maxGroups` groups, the oldest dropped first. */
export class RecentRollouts {
  private list: RolloutBatch[] = [];
  /** Called when rollouts were added. */
  readonly listeners = new Set<() => void>();

  constructor(readonly maxGroups = 8) {}

  /** Keeps a step's rollouts; those of the same step are replaced. The newest step is kept even where it alone exceeds the limit. */
  add(batch: RolloutBatch): void {
    this.list = this.list.filter((kept) => kept.step !== batch.step);
    this.list.push(batch);
    while (this.list.length > 1 && this.groupCount > this.maxGroups) this.list.shift();
    for (const listener of this.listeners) listener();
  }

  /** Returns the kept rollouts, oldest first. */
  batches(): readonly RolloutBatch[] {
    return this.list;
  }

  get groupCount(): number {
    return this.list.reduce((sum, { samples, groupSize }) => sum + samples.length / groupSize, 0);
  }

  get sampleCount(): number {
    return this.list.reduce((sum, { samples }) => sum + samples.length, 0);
  }

  /** Removes a function from the kept rewards. */
  forget(name: string): void {
    for (const batch of this.list) batch.table = withoutColumn(batch.table, name);
  }

  /** Changes a function's weight in the kept rewards. */
  reweigh(name: string, weight: number): void {
    for (const batch of this.list) {
      const { names, weights } = batch.table;
      batch.table = { ...batch.table, weights: weights.map((other, i) => (names[i] === name ? weight : other)) };
    }
  }

  /** Drops all rollouts, as at the start of a run. */
  clear(): void {
    this.list = [];
  }
}

function withoutColumn({ names, weights, values, failed }: RewardTable, name: string): RewardTable {
  const others = <T>(list: readonly T[]): T[] => list.filter((_, f) => names[f] !== name);
  const { [name]: _, ...rest } = failed ?? {};
  return { names: others(names), weights: others(weights), values: others(values), failed: rest };
}
