import type { MimeBundle } from '../display/host';
import { escapeHtml, formatNumber, htmlTable, scrollBox, textTable, type Column } from '../display/table';
import { recentRollouts, withColumn, type RolloutBatch } from './recent';
import type { Sample } from './sample';
import { scoreWith, weightedSum, RewardError, type RewardTable, type WeightedReward } from './scoring';
import { chunks, isConstant, mean, std } from './statistics';

/** One sample before and after a reward function was replaced. */
export interface RescoredSample {
  sample: Sample;
  /** What the function gave; `null` where it does not apply, `undefined` where there was no such function. */
  before: number | null | undefined;
  after: number | null;
  /** The sample's advantage from all functions; `undefined` where it had none. */
  advantageBefore: number | undefined;
  advantageAfter: number;
}

/** What the numbers of all samples come to. */
export interface RescoreSummary {
  /** Mean and standard deviation of the function. */
  mean: number;
  std: number;
  /** Mean of the weighted sum of all functions. */
  reward: number;
  /** Groups whose samples all have the same sum: they teach nothing. */
  groupsWithoutSpread: number;
}

/** The last rollouts scored with a replaced function, old beside new. */
export class Rescore {
  constructor(
    /** The function that was replaced. */
    readonly rewardName: string,
    /** Newest step first. */
    readonly samples: RescoredSample[],
    readonly groups: number,
    readonly before: RescoreSummary,
    readonly after: RescoreSummary,
    /** Why the new function could not score them; then there are no samples. */
    readonly error: RewardError | null = null,
  ) {}

  /** The comparison as a MIME bundle: `text/html` and `text/plain`. */
  bundle(): MimeBundle {
    if (this.error) {
      const text = `The last rollouts could not be scored again. ${this.error.message}`;
      return { 'text/plain': text, 'text/html': `<p><b>⚠</b> ${escapeHtml(text)}</p>` };
    }
    const title = `${this.rewardName}: the last ${this.samples.length} rollouts, scored again without playing`;
    const rows = this.samples.map((sample, index) => sampleRow(sample, index));
    const summary = summaryRows(this);
    return {
      'text/html':
        `<p><b>${escapeHtml(this.rewardName)}</b>${escapeHtml(title.slice(this.rewardName.length))}</p>\n` +
        `${htmlTable(summaryColumns, summary)}\n` +
        scrollBox(`Scores of ${this.rewardName}, before and after`, 'max-height:22em;margin-top:0.8em', htmlTable(sampleColumns, rows)),
      'text/plain': [title, textTable(summaryColumns, summary), textTable(sampleColumns, rows)].join('\n\n'),
    };
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return this.bundle();
  }
}

/**
 * Scores the rollouts in memory with `reward` alone, puts the new scores in
 * the place of the old, and says what changed. What the other functions gave
 * is not computed again.
 */
export async function rescore(reward: WeightedReward, signal?: AbortSignal): Promise<Rescore> {
  const batches = [...recentRollouts.batches()].reverse();
  const before = summarise(batches, batches.map(({ table }) => table), reward.name);
  let columns: Array<Array<number | null>>;
  try {
    columns = [];
    for (const batch of batches) columns.push(await scoreWith(reward, batch.samples, signal));
  } catch (error) {
    if (!(error instanceof RewardError)) throw error;
    return new Rescore(reward.name, [], groupCount(batches), before, before, error);
  }
  const tables = batches.map(({ table }, b) => withColumn(table, reward.name, reward.weight, columns[b]));
  const samples = batches.flatMap((batch, b) => compare(batch, tables[b], reward.name));
  const after = summarise(batches, tables, reward.name);
  batches.forEach((batch, b) => void (batch.table = tables[b]));
  return new Rescore(reward.name, samples, groupCount(batches), before, after);
}

function compare(batch: RolloutBatch, table: RewardTable, name: string): RescoredSample[] {
  const old = batch.table.values[batch.table.names.indexOf(name)];
  const advantagesBefore = batch.table.names.length > 0 ? batch.advantages(batch.table) : undefined;
  const advantagesAfter = batch.advantages(table);
  const now = table.values[table.names.indexOf(name)];
  return batch.samples.map((sample, i) => ({
    sample,
    before: old?.[i],
    after: now[i],
    advantageBefore: advantagesBefore?.[i],
    advantageAfter: advantagesAfter[i],
  }));
}

function summarise(batches: RolloutBatch[], tables: RewardTable[], name: string): RescoreSummary {
  const own = tables.flatMap(({ names, values }) => values[names.indexOf(name)] ?? []);
  const sums = tables.map(weightedSum);
  const groups = batches.flatMap(({ groupSize }, b) => chunks(sums[b], groupSize));
  return {
    mean: mean(own),
    std: std(own),
    reward: mean(sums.flat()),
    groupsWithoutSpread: groups.filter(isConstant).length,
  };
}

function groupCount(batches: readonly RolloutBatch[]): number {
  return batches.reduce((sum, { samples, groupSize }) => sum + samples.length / groupSize, 0);
}

const summaryColumns: Column[] = [{ title: '', align: 'left' }, { title: 'before' }, { title: 'after' }];

function summaryRows({ rewardName, groups, before, after }: Rescore): string[][] {
  const row = (title: string, value: (summary: RescoreSummary) => string) => [title, value(before), value(after)];
  return [
    row(`${rewardName}, mean ± std`, ({ mean, std }) => `${formatNumber(mean)} ± ${formatNumber(std)}`),
    row('sum of all rewards, mean', ({ reward }) => formatNumber(reward)),
    row('groups with zero spread', ({ groupsWithoutSpread }) => `${groupsWithoutSpread} of ${groups}`),
  ];
}

const sampleColumns: Column[] = [
  { title: '#' },
  { title: 'step' },
  { title: 'before' },
  { title: 'after' },
  { title: 'advantage before' },
  { title: 'advantage after' },
  { title: 'strategy', align: 'left' },
];

function sampleRow({ sample, before, after, advantageBefore, advantageAfter }: RescoredSample, index: number): string[] {
  return [
    String(index),
    String(sample.step),
    formatNumber(before),
    formatNumber(after),
    formatNumber(advantageBefore),
    formatNumber(advantageAfter),
    excerpt(sample),
  ];
}

/** The first words of what the model wrote, past the function's head. */
function excerpt({ code, completion }: Sample): string {
  const text = (code ?? completion).replace(/\s+/g, ' ').replace(/^function strategy\(\w*\) \{ ?/, '').trim();
  return text.length > 60 ? text.slice(0, 59) + '…' : text;
}
