import { mean } from '../common/statistics';

/** Metrics by TRL's names. A value that does not exist (NaN) is left out of the log. */
export type Metrics = Record<string, number>;

/** Metrics that say where a run stands, so that the newest counts and no mean. */
export const NAMES_OF_STATES: ReadonlySet<string> = new Set([
  'learning_rate',
  'grad_norm',
  'num_tokens',
  'epoch',
  'refinement/best_worth',
  'refinement/archive_size',
  'refinement/episodes',
]);

/** Collects the metrics of the steps between two log entries. */
export class MetricsBuffer {
  private values = new Map<string, number[]>();

  add(metrics: Metrics): void {
    for (const [name, value] of Object.entries(metrics)) {
      if (Number.isNaN(value)) continue;
      this.values.set(name, [...(this.values.get(name) ?? []), value]);
    }
  }

  /** Returns the mean of each metric since the last entry; of those that name a state, the newest. */
  flush(): Metrics {
    const entry: Metrics = {};
    for (const [name, values] of this.values) entry[name] = NAMES_OF_STATES.has(name) ? values.at(-1)! : mean(values);
    this.values = new Map();
    return entry;
  }

  /** Returns its content for a checkpoint between two entries. */
  toJSON(): Record<string, number[]> {
    return Object.fromEntries(this.values);
  }

  static from(values: Record<string, number[]> = {}): MetricsBuffer {
    const buffer = new MetricsBuffer();
    buffer.values = new Map(Object.entries(values));
    return buffer;
  }
}
