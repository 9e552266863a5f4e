import type { Sample } from './sample';
import type { RewardTable } from './scoring';

/** The scored samples of one training step, kept so that another reward function can score them again. */
export interface RolloutBatch {
  step: number;
  /** Samples, group after group. */
  samples: Sample[];
  /** Samples of a group. */
  groupSize: number;
  /** Their scores. A function that failed has no column. */
  table: RewardTable;
  /** Seconds that a reward function may take for one sample. */
  timeLimit?: number;
  /** Advantages from scores, by the settings of the run: one per sample. */
  advantages(table: RewardTable): ArrayLike<number>;
}

/** The newest rollouts: at most `maxGroups` groups, oldest dropped first. */
export class RecentRollouts {
  private list: RolloutBatch[] = [];

  constructor(readonly maxGroups = 8) {}

  /** Keeps a step's rollouts; those of the same step are replaced. The newest step is kept even where it alone exceeds the limit. */
  add(batch: RolloutBatch): void {
    this.list = this.list.filter((kept) => kept.step !== batch.step);
    this.list.push(batch);
    const groups = () => this.list.reduce((sum, { samples, groupSize }) => sum + samples.length / groupSize, 0);
    while (this.list.length > 1 && groups() > this.maxGroups) this.list.shift();
  }

  /** Oldest first. */
  batches(): readonly RolloutBatch[] {
    return this.list;
  }

  get sampleCount(): number {
    return this.list.reduce((sum, { samples }) => sum + samples.length, 0);
  }

  /** Takes a function out of the kept scores. */
  forget(name: string): void {
    for (const { table } of this.list) removeColumn(table, name);
  }

  /** Another weight for a function in the kept scores. */
  reweigh(name: string, weight: number): void {
    for (const { table } of this.list) {
      const index = table.names.indexOf(name);
      if (index >= 0) table.weights[index] = weight;
    }
  }

  /** Forgets all: a new run starts. */
  clear(): void {
    this.list = [];
  }
}

/** A copy of `table` in which function `name` has `values` and `weight`; a new function comes last. */
export function withColumn(
  table: RewardTable,
  name: string,
  weight: number,
  values: Array<number | null>,
): RewardTable {
  const copy: RewardTable = { names: [...table.names], weights: [...table.weights], values: [...table.values] };
  const at = copy.names.indexOf(name);
  const index = at < 0 ? copy.names.length : at;
  copy.names[index] = name;
  copy.weights[index] = weight;
  copy.values[index] = values;
  return copy;
}

function removeColumn(table: RewardTable, name: string): void {
  const index = table.names.indexOf(name);
  if (index < 0) return;
  table.names.splice(index, 1);
  table.weights.splice(index, 1);
  table.values.splice(index, 1);
}

/** The rollouts of the newest training steps. */
export const recentRollouts = new RecentRollouts();
