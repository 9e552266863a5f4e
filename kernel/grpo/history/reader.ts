import { parseExact } from '../../common/exactJson';
import type {
  FoundRollouts,
  RelatedRollouts,
  RolloutData,
  RolloutRow,
  RunData,
  RunSummary,
  StepSummary,
} from '../../display/rollouts';
import type { CodeProblem } from '../../strategy/check';
import { bytesOf, Database, DatabaseError } from './database';
import { inflated, unpackEpisode, unpackTokens, type CompactEpisode } from './packing';

/** Lines of a program that a tile shows. */
const SUMMARY_LINES = 6;

/** Rollouts that a search by words finds, and the milliseconds that it has: the kernel may have other work. */
const MOST_FOUND = 50;
const SEARCH_TIME = 300;
/** Rollouts that a search reads at once. */
const PAGE = 500;

const ROW = `r.id, r.step, r.position, r."group", r.reward, r.advantage, r.rewards, r."return", r.steps, r.ending,
  r.code, r.completion, r.tokens, r.details, r.run`;

interface Row {
  id: number;
  step: number;
  position: number;
  group: number;
  reward: number | null;
  advantage: number;
  rewards: string;
  return: number | null;
  steps: number | null;
  ending: string | null;
  code: number | null;
  completion: number;
  tokens: ArrayBuffer;
  details: string | null;
  run: number;
}

interface FullRow extends Row {
  prompt: number;
  parent: number | null;
  episode: number | null;
}

/** What few rollouts have. */
interface Details {
  problems?: CodeProblem[];
  environmentError?: string;
  duplicateOf?: number;
  parent?: { id: number; worth: number };
  extra?: Record<string, unknown>;
}

/** A rollout as TRL's table of completions has it. */
export interface ScoredRow {
  step: number;
  prompt: string;
  completion: string;
  rewards: Record<string, number | null>;
  advantage: number;
  extra: Record<string, unknown>;
}

/** An episode as its database keeps it, with what it takes to play it again. */
export interface KeptEpisode {
  episode: CompactEpisode;
  code: string | null;
  secret: string;
  settings: Record<string, any>;
}

/** Reads the rollouts that runs have kept in a file, also while they write it. */
export class RolloutReader {
  private readonly dictionaries = new Map<number, Buffer>();

  private constructor(private readonly database: Database) {}

  /** @throws DatabaseError */
  static open(path: string): RolloutReader {
    return new RolloutReader(Database.read(path));
  }

  close(): void {
    this.database.close();
  }

  /** Returns the runs, the newest first. */
  runs(): RunSummary[] {
    return this.summaries('ORDER BY started DESC, id DESC', []);
  }

  /** @throws DatabaseError for a run that the file does not have */
  run(run: string): RunData {
    const [summary] = this.summaries('WHERE run = ?', [run]);
    if (!summary) throw this.missing(`run ${run}`);
    const [{ id, settings }] = this.database.all<{ id: number; settings: string }>(
      'SELECT id, settings FROM runs WHERE run = ?',
      [run],
    );
    const history = this.database.all<StepSummary>(
      'SELECT step, rollouts, mean, low, high FROM steps WHERE run = ? ORDER BY step',
      [id],
    );
    const log = this.database.all<{ entry: string }>('SELECT entry FROM log WHERE run = ? ORDER BY id', [id]);
    const newest = history.at(-1);
    return {
      ...summary,
      settings: JSON.parse(settings),
      functions: newest ? this.functions(id, newest.step).names : [],
      history,
      log: log.map(({ entry }) => JSON.parse(entry)),
    };
  }

  /** Returns the rollouts of a step, in the order in which they were sampled. */
  group(run: string, step: number): RolloutRow[] {
    const rows = this.database.all<Row>(
      `SELECT ${ROW} FROM rollouts r WHERE r.run = (SELECT id FROM runs WHERE run = ?) AND r.step = ? ORDER BY r.position`,
      [run, step],
    );
    return rows.map((row) => this.rolloutRow(row));
  }

  /** @throws DatabaseError for a rollout that the file does not have (any more) */
  rollout(id: number): RolloutData {
    const row = this.fullRow(id);
    const [{ run }] = this.database.all<{ run: string }>('SELECT run FROM runs WHERE id = ?', [row.run]);
    const details = detailsOf(row);
    const kept = row.episode === null ? null : this.episode(row.episode);
    const { names, weights } = this.functions(row.run, row.step);
    return {
      ...this.rolloutRow(row),
      run,
      prompt: this.text(row.prompt),
      completion: this.text(row.completion),
      code: row.code === null ? null : this.text(row.code),
      parentProgram: details.parent && row.parent !== null ? { ...details.parent, code: this.text(row.parent) } : null,
      weights: Object.fromEntries(names.map((name, f) => [name, weights[f]])),
      completionTokens: this.completionTokens(row),
      notes: notesOf(details, kept),
      extra: details.extra ?? {},
      twins: row.code === null ? 0 : this.twins(row),
      episode: kept && {
        seed: kept.seed,
        rewards: kept.rewards,
        actions: kept.actions,
        actionNames: kept.actionNames,
      },
    };
  }

  /** @throws DatabaseError for a rollout that the file does not have (any more) */
  related(id: number): RelatedRollouts {
    const { run, parent } = this.fullRow(id);
    const first = (clause: string, values: number[]): RolloutRow | null => {
      const [row] = this.database.all<Row>(`SELECT ${ROW} FROM rollouts r WHERE r.run = ? ${clause} LIMIT 1`, [
        run,
        ...values,
      ]);
      return row ? this.rolloutRow(row) : null;
    };
    return {
      parent: parent === null ? null : first('AND r.code = ? ORDER BY r.step, r.position', [parent]),
      best: first('AND r.reward IS NOT NULL ORDER BY r.reward DESC, r.step, r.position', []),
    };
  }

  /** Returns the rollouts of a run that a text names: a step ("12", "step 12, no. 5"), or words of programs and endings. */
  search(run: string, text: string): FoundRollouts {
    const [, step, number] = /^(?:step)?\s*(\d+)(?:\D+(\d+))?$/i.exec(text.trim()) ?? [];
    if (step === undefined) return this.searchWords(run, text.toLowerCase().split(/\s+/).filter(Boolean));
    const rows = this.group(run, Number(step));
    return {
      rows: number === undefined ? rows : rows.filter(({ position }) => position + 1 === Number(number)),
      more: false,
    };
  }

  /** Looks through the rollouts, the best first; of those with the same program the first is found. */
  private searchWords(run: string, words: readonly string[]): FoundRollouts {
    const end = performance.now() + SEARCH_TIME;
    const rows: RolloutRow[] = [];
    const seen = new Set<string>();
    for (const { id, text, ending } of this.texts(run)) {
      if (rows.length === MOST_FOUND || performance.now() > end) return { rows, more: true };
      const key = `${text} ${ending}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const searched = `${this.text(text)} ${ending ?? 'not played'}`.toLowerCase();
      if (words.every((word) => searched.includes(word))) rows.push(this.rolloutRow(this.fullRow(id)));
    }
    return { rows, more: false };
  }

  /** Yields the programs or completions of a run, those with the best reward first, a page at a time. */
  private *texts(run: string): Generator<{ id: number; text: number; ending: string | null }> {
    for (let offset = 0; ; offset += PAGE) {
      const page = this.database.all<{ id: number; text: number; ending: string | null }>(
        `SELECT r.id, coalesce(r.code, r.completion) AS text, r.ending FROM rollouts r
         WHERE r.run = (SELECT id FROM runs WHERE run = ?) ORDER BY r.reward DESC LIMIT ${PAGE} OFFSET ?`,
        [run, offset],
      );
      yield* page;
      if (page.length < PAGE) return;
    }
  }

  /** Returns the episode of a rollout; `null` where none was played. */
  kept(id: number): KeptEpisode | null {
    const { episode, code, run } = this.fullRow(id);
    if (episode === null) return null;
    const [{ secret, settings }] = this.database.all<{ secret: string; settings: string }>(
      'SELECT secret, settings FROM runs WHERE id = ?',
      [run],
    );
    return {
      episode: this.episode(episode),
      code: code === null ? null : this.text(code),
      secret,
      settings: JSON.parse(settings),
    };
  }

  /** Returns the ID of the newest run. @throws DatabaseError where there is none */
  newest(): string {
    const [newest] = this.runs();
    if (!newest) throw new DatabaseError(`${this.database.path} has no run yet`);
    return newest.run;
  }

  /** Returns all rollouts of a run with their texts and scores. @throws DatabaseError for a run that the file does not have */
  scored(run: string): ScoredRow[] {
    const rows = this.database.all<Row & { prompt: number }>(
      `SELECT ${ROW}, r.prompt FROM rollouts r WHERE r.run = (SELECT id FROM runs WHERE run = ?) ORDER BY r.step, r.position`,
      [run],
    );
    if (rows.length === 0) throw this.missing(`rollouts of run ${run}`);
    const texts = new Map<number, string>();
    const textOf = (blob: number): string => {
      if (!texts.has(blob)) texts.set(blob, this.text(blob));
      return texts.get(blob)!;
    };
    return rows.map((row) => ({
      step: row.step,
      prompt: textOf(row.prompt),
      completion: textOf(row.completion),
      rewards: this.rewards(row),
      advantage: row.advantage,
      extra: detailsOf(row).extra ?? {},
    }));
  }

  private summaries(clause: string, values: string[]): RunSummary[] {
    return this.database.all<RunSummary>(
      `SELECT run, started, model, environment,
         (SELECT count(*) FROM steps WHERE run = runs.id) AS steps,
         (SELECT coalesce(sum(rollouts), 0) FROM steps WHERE run = runs.id) AS rollouts,
         (SELECT mean FROM steps WHERE run = runs.id ORDER BY step DESC LIMIT 1) AS reward,
         (SELECT max(reward) FROM rollouts WHERE run = runs.id) AS best
       FROM runs ${clause}`,
      values,
    );
  }

  private functions(run: number, step: number): { names: string[]; weights: number[] } {
    const [row] = this.database.all<{ functions: string }>('SELECT functions FROM steps WHERE run = ? AND step = ?', [
      run,
      step,
    ]);
    return row ? JSON.parse(row.functions) : { names: [], weights: [] };
  }

  private fullRow(id: number): FullRow {
    const [row] = this.database.all<FullRow>(
      `SELECT ${ROW}, r.prompt, r.parent, r.episode FROM rollouts r WHERE r.id = ?`,
      [id],
    );
    if (!row) throw this.missing(`rollout ${id}`);
    return row;
  }

  private missing(what: string): DatabaseError {
    return new DatabaseError(
      `${this.database.path} has no ${what} (any more): rolloutsTotalLimit says how many rollouts are kept`,
    );
  }

  private rolloutRow(row: Row): RolloutRow {
    const { id, step, position, group, reward, advantage, steps, ending, code, completion } = row;
    const { parent } = detailsOf(row);
    const text = this.text(code ?? completion).split('\n');
    return {
      id,
      step,
      position,
      group,
      reward,
      advantage,
      rewards: this.rewards(row),
      return: row.return,
      steps,
      ending,
      summary: text.slice(0, SUMMARY_LINES).join('\n') + (text.length > SUMMARY_LINES ? '\n…' : ''),
      hasProgram: code !== null,
      tokens: unpackTokens(bytesOf(row.tokens)).ids.length,
      ...(parent && { parent: parent.id }),
    };
  }

  private rewards({ run, step, rewards }: Row): Record<string, number | null> {
    const values: Array<number | null> = JSON.parse(rewards);
    return Object.fromEntries(this.functions(run, step).names.map((name, f) => [name, values[f] ?? null]));
  }

  private completionTokens({ run, tokens }: Row): RolloutData['completionTokens'] {
    const { ids, logprobs } = unpackTokens(bytesOf(tokens));
    const rows = this.database.all<{ token: number; text: string }>(
      'SELECT token, text FROM tokens WHERE run = ? AND token IN (SELECT value FROM json_each(?))',
      [run, JSON.stringify([...new Set(ids)])],
    );
    const texts = new Map(rows.map(({ token, text }) => [token, text]));
    return { texts: ids.map((id) => texts.get(id) ?? `⟨${id}⟩`), logprobs };
  }

  private twins({ run, step, code }: Row): number {
    const [{ count }] = this.database.all<{ count: number }>(
      'SELECT count(*) AS count FROM rollouts WHERE run = ? AND step = ? AND code = ?',
      [run, step, code],
    );
    return count - 1;
  }

  private text(blob: number): string {
    return this.bytes(blob).toString();
  }

  private episode(blob: number): CompactEpisode {
    return unpackEpisode(this.bytes(blob));
  }

  private bytes(id: number): Buffer {
    const [{ dictionary, body }] = this.database.all<{ dictionary: number; body: ArrayBuffer }>(
      'SELECT dictionary, body FROM blobs WHERE id = ?',
      [id],
    );
    return inflated(bytesOf(body), this.dictionary(dictionary));
  }

  private dictionary(run: number): Buffer {
    let dictionary = this.dictionaries.get(run);
    if (!dictionary) {
      const [row] = this.database.all<{ dictionary: ArrayBuffer }>('SELECT dictionary FROM runs WHERE id = ?', [run]);
      this.dictionaries.set(run, (dictionary = inflated(bytesOf(row.dictionary))));
    }
    return dictionary;
  }
}

function detailsOf({ details }: Pick<Row, 'details'>): Details {
  return details === null ? {} : (parseExact(details, 'the details of a rollout') as Details);
}

function notesOf({ problems = [], environmentError, duplicateOf }: Details, episode: CompactEpisode | null): string[] {
  const { reason, message, line } = episode?.end ?? {};
  return [
    ...problems.map((problem) => `Line ${problem.line}: ${problem.reason}`),
    ...(environmentError === undefined ? [] : [`The environment failed: ${environmentError}`]),
    ...(duplicateOf === undefined ? [] : [`The same source as program ${duplicateOf}: it did not play again`]),
    ...(reason ? [`${reason}${message ? `: ${message}` : ''}${line === undefined ? '' : ` (line ${line})`}`] : []),
  ];
}
