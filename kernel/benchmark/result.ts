import { benchmarkBundle, benchmarkMarkdown } from '../display/benchmark';
import type { BenchmarkData, BenchmarkGroup, BenchmarkRow } from '../display/benchmarkMime';
import { cellContext, type MimeBundle } from '../display/cellContext';
import { mean } from '../common/statistics';
import { estimate } from './bootstrap';
import { compared, type Compared, type PolicyComparison } from './comparison';
import { bestAttempt, comparableKey, returnsOf, type BenchmarkEntry } from './entry';

/** Which results are compared, see {@link BenchmarkResult.compare}. */
export interface CompareOptions {
  /** Name of the environment, where there are several. */
  environment?: string;
  /** 'mean' of the attempts, or the 'best' of them, which was chosen on other starts. 'mean' by default. */
  of?: 'mean' | 'best';
}

/** Results of policies, as `benchmark` and `leaderboard` give them. It is displayed as tables, charts and comparisons. */
export class BenchmarkResult {
  /** The run of a cell that shows it already. */
  private shownIn: object | null = null;

  /**
   * @param entries plain data: see `BenchmarkEntry`
   * @param notes sentences that are shown below
   */
  constructor(
    readonly entries: readonly BenchmarkEntry[],
    private readonly notes: readonly string[] = [],
  ) {}

  /** Returns the rows of the table of an environment, best first; of the first one by default. */
  rows(environment?: string): BenchmarkRow[] {
    return groupOf(this.group(environment)).rows;
  }

  /**
   * Compares two policies by the differences of their returns from the same starts, with a
   * 95 % bootstrap interval.
   *
   * @throws RangeError where there is no such policy or environment
   */
  compare(first: string, second: string, { environment, of = 'mean' }: CompareOptions = {}): PolicyComparison {
    const played = this.group(environment);
    const find = (name: string): Compared => {
      const at = played.findIndex(({ label }) => label === name);
      if (at < 0)
        throw new RangeError(
          `There is no policy ${name} here. There are: ${played.map(({ label }) => label).join(', ')}.`,
        );
      const best = of === 'best' ? bestAttempt(played[at].entry)?.returns : undefined;
      return { name, returns: best ? [best] : returnsOf(played[at].entry), stream: at };
    };
    return compared(find(first), find(second));
  }

  /** Returns the tables as Markdown, for a README. */
  markdown(): string {
    return benchmarkMarkdown(this.data());
  }

  /** @internal Notes that the running cell shows it already, so that its value shows nothing more. */
  markShown(): void {
    this.shownIn = cellContext().cell ?? null;
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return this.shownIn !== null && cellContext().cell === this.shownIn ? {} : benchmarkBundle(this.data());
  }

  /** @internal */
  data(): BenchmarkData {
    const groups = this.groups().map(groupOf);
    const summary = groups.filter(({ human }) => human).length > 1 ? summaryOf(groups) : undefined;
    return { version: 1, groups, ...(summary && { summary }), notes: [...this.notes] };
  }

  /** Returns the entries that have played, by what can be compared. */
  private groups(): PlayedEntry[][] {
    const groups = new Map<string, BenchmarkEntry[]>();
    for (const entry of this.entries) {
      if (returnsOf(entry).length === 0) continue;
      const key = comparableKey(entry);
      groups.set(key, [...(groups.get(key) ?? []), entry]);
    }
    return [...groups.values()].map(labelled);
  }

  private group(environment: string | undefined): PlayedEntry[] {
    const groups = this.groups();
    const found = groups.find(([{ entry }]) => environment === undefined || entry.environment.name === environment);
    if (found) return found;
    const names = groups.map(([{ entry }]) => entry.environment.name);
    throw new RangeError(
      names.length === 0
        ? 'Nothing has played yet.'
        : `There is no environment ${environment} here. There are: ${names.join(', ')}.`,
    );
  }
}

/** An entry, and its name in tables. */
interface PlayedEntry {
  entry: BenchmarkEntry;
  label: string;
}

/** Gives entries of one name, such as those of models before and after training, their dates. */
function labelled(entries: BenchmarkEntry[]): PlayedEntry[] {
  return entries.map((entry) => {
    const isAlone = entries.filter(({ policy }) => policy === entry.policy).length === 1;
    return { entry, label: isAlone ? entry.policy : `${entry.policy} (${entry.date.slice(0, 19).replace('T', ' ')})` };
  });
}

function groupOf(played: PlayedEntry[]): BenchmarkGroup {
  const [{ entry: first }] = played;
  const reference = played.find(({ entry }) => entry.reference)?.entry.reference;
  const rows = played.map(({ entry, label }, stream) => ({ row: rowOf(entry, label, stream), entry, stream }));
  rows.sort((a, b) => b.row.score.mean - a.row.score.mean);
  const sides = rows.map(
    ({ row, entry, stream }): Compared => ({ name: row.policy, returns: returnsOf(entry), stream }),
  );
  const pairs = sides.flatMap((a, i) =>
    sides.slice(i + 1).map((b) => ({ withBest: i === 0, text: compared(a, b).text })),
  );
  const { seeds, maxSteps } = first;
  const plural = seeds.length === 1 ? 'start' : 'starts';
  return {
    environment: first.environment.name,
    caption: `${seeds.length} ${plural}, at most ${maxSteps.toLocaleString('en-US')} steps`,
    rows: rows.map(({ row }) => row),
    ...(reference && { chance: reference.chance.mean }),
    ...(reference?.human && { human: reference.human }),
    statements: pairs.filter(({ withBest }) => withBest).map(({ text }) => text),
    otherStatements: pairs.filter(({ withBest }) => !withBest).map(({ text }) => text),
  };
}

function rowOf(entry: BenchmarkEntry, policy: string, stream: number): BenchmarkRow {
  const { sampling, attempts, reference, stopped } = entry;
  const score = estimate(returnsOf(entry), stream);
  const best = sampling && bestAttempt(entry)?.returns;
  const scale = reference?.human && reference.human.mean - reference.chance.mean;
  const played = attempts.filter(({ returns }) => returns);
  const sum = (of: (attempt: (typeof attempts)[number]) => number) =>
    attempts.reduce((total, one) => total + of(one), 0);
  return {
    policy,
    score,
    ...(best && played.length > 1 && { best: estimate([best]) }),
    ...(scale && { normalized: (score.mean - reference!.chance.mean) / scale }),
    ...(sampling && {
      attempts: played.length,
      playing: played.filter(({ problem }) => problem === undefined).length,
      tokens: sum(({ promptTokens, completionTokens }) => promptTokens + completionTokens),
      seconds: sum(({ seconds }) => seconds),
    }),
    ...(noteOf(stopped, played.length, entry) && { note: noteOf(stopped, played.length, entry) }),
  };
}

function noteOf(
  stopped: string | undefined,
  played: number,
  { sampling, attempts }: BenchmarkEntry,
): string | undefined {
  if (stopped !== undefined) return `${played} of ${sampling?.attempts ?? 1} attempts. ${stopped}`;
  const broken = attempts.reduce((sum, { failures }) => sum + failures, 0);
  if (sampling || broken === 0) return undefined;
  return `it broke off ${broken} of its episodes, which count as little as play without skill.`;
}

function summaryOf(groups: readonly BenchmarkGroup[]): BenchmarkData['summary'] {
  const scores = new Map<string, number[]>();
  for (const { policy, normalized } of groups.flatMap(({ rows }) => rows))
    if (normalized !== undefined) scores.set(policy, [...(scores.get(policy) ?? []), normalized]);
  return [...scores]
    .map(([policy, all]) => ({ policy, normalized: mean(all), environments: all.length }))
    .sort((a, b) => b.normalized - a.normalized);
}
