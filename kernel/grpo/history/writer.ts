import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringifyExact } from '../../common/exactJson';
import type { Sample } from '../../rewards/sample';
import { weightedSum, type RewardTable } from '../../rewards/scoring';
import { mean, std } from '../../common/statistics';
import { bytesOf, Database, type Value } from './database';
import { deflated, dictionaryOf, inflated, packEpisode, packTokens } from './packing';

/** A run, as its database introduces it. */
export interface RunFacts {
  /** The ID of the run, which its checkpoints have, too. */
  runId: string;
  model: string;
  environment: string | null;
  settings: object;
  /** Secret from which the random numbers of strategies follow: with it they make the same choices again. */
  secret: string;
  /** Whether a replay gives the named state back, so that it need not be kept. */
  replays: boolean;
  /** Returns a token as text. */
  decode(token: number): string;
}

/** Completions that were generated together, played and scored. */
export interface ScoredBatch {
  samples: readonly Sample[];
  table: RewardTable;
  advantages: ArrayLike<number>;
  logprobs: ReadonlyArray<ArrayLike<number>>;
  /** Completions of a group. */
  groupSize: number;
  /** Columns that reward functions added. */
  extra: ReadonlyMap<string, readonly unknown[]>;
}

/** The best rollouts of each run, which stay when older ones go. */
const BEST = 32;

/** Part of the limit that is removed at once when it is reached: one sweep serves many steps. */
const SWEEP = 0.02;

/** Writes the rollouts of a run into its database, step by step: see {@link Database}. */
export class RolloutWriter {
  private readonly run: number;
  private dictionary: Buffer | null;
  private readonly texts = new Set<number>();
  private kept: number;

  /** @param limit rollouts that the file keeps, at most @throws DatabaseError */
  constructor(
    private readonly database: Database,
    private readonly facts: RunFacts,
    private readonly limit: number,
  ) {
    const { runId, model, environment, settings, secret } = facts;
    const text = JSON.stringify(settings);
    database.run(
      `INSERT INTO runs (run, started, model, environment, settings, secret) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (run) DO UPDATE SET settings = excluded.settings`,
      [runId, Date.now(), model, environment, text, secret],
    );
    const [{ id, dictionary }] = database.all<{ id: number; dictionary: ArrayBuffer | null }>(
      'SELECT id, dictionary FROM runs WHERE run = ?',
      [runId],
    );
    this.run = id;
    this.dictionary = dictionary && inflated(bytesOf(dictionary));
    for (const { token } of database.all<{ token: number }>('SELECT token FROM tokens WHERE run = ?', [id]))
      this.texts.add(token);
    [{ kept: this.kept }] = database.all<{ kept: number }>('SELECT count(*) AS kept FROM rollouts');
  }

  /**
   * Writes the rollouts of a step. Those of the same step and of later ones,
   * which a run made that ended after its newest checkpoint, are replaced.
   *
   * @throws DatabaseError; then nothing of the step is written
   */
  write(step: number, batches: readonly ScoredBatch[]): void {
    const { database, run } = this;
    this.dictionary ??= this.makeDictionary(batches);
    const before = this.kept;
    try {
      database.transaction(() => {
        this.kept -= database.run('DELETE FROM rollouts WHERE run = ? AND step >= ?', [run, step]).changes;
        database.run('DELETE FROM steps WHERE run = ? AND step >= ?', [run, step]);
        database.run('DELETE FROM log WHERE run = ? AND step >= ?', [run, step]);
        this.writeStep(step, batches);
        if (this.kept > this.limit) this.sweep();
      });
    } catch (error) {
      this.kept = before;
      throw error;
    }
  }

  /** Adds an entry of the log. @throws DatabaseError */
  log(entry: Readonly<Record<string, number>>): void {
    this.database.run('INSERT INTO log (run, step, entry) VALUES (?, ?, ?)', [
      this.run,
      entry.step,
      JSON.stringify(entry),
    ]);
  }

  close(): void {
    this.database.checkpoint();
    this.database.close();
  }

  private writeStep(step: number, batches: readonly ScoredBatch[]): void {
    const { database, run } = this;
    let position = 0;
    const sums: Array<number | null> = [];
    for (const batch of batches) {
      const firstGroup = position / batch.groupSize;
      const rewards = weightedSum(batch.table);
      batch.samples.forEach((sample, i) => {
        const group = firstGroup + Math.floor(i / batch.groupSize);
        this.writeRollout({ step, position: position + i, group, reward: rewards[i] ?? null }, sample, i, batch);
      });
      sums.push(...rewards);
      position += batch.samples.length;
    }
    this.kept += position;
    const [average, spread] = [mean(sums), std(sums)];
    const { names, weights } = batches[0].table;
    const summary = [average, average - spread, average + spread].map(finite);
    database.run('INSERT INTO steps (run, step, rollouts, mean, low, high, functions) VALUES (?, ?, ?, ?, ?, ?, ?)', [
      run,
      step,
      position,
      ...summary,
      JSON.stringify({ names, weights }),
    ]);
  }

  private writeRollout(
    place: { step: number; position: number; group: number; reward: number | null },
    sample: Sample,
    i: number,
    { table, advantages, logprobs, extra }: ScoredBatch,
  ): void {
    const { step, position, group, reward } = place;
    const { prompt, completion, completionIds, code, parent, episode } = sample;
    this.writeTokens(completionIds);
    const values: Value[] = [
      this.run,
      step,
      position,
      group,
      reward,
      advantages[i],
      JSON.stringify(table.values.map((column) => column[i])),
      episode && finite(episode.return),
      episode && episode.steps,
      episode && episode.end.reason,
      this.blob(prompt),
      this.blob(completion),
      code === null ? null : this.blob(code),
      parent ? this.blob(parent.code) : null,
      episode && this.blob(packEpisode(this.compact(episode))),
      packTokens(completionIds, logprobs[i] ?? []),
      detailsOf(sample, extra, i),
    ];
    this.database.run(
      `INSERT INTO rollouts (run, step, position, "group", reward, advantage, rewards, "return", steps, ending, prompt,
       completion, code, parent, episode, tokens, details) VALUES (${values.map(() => '?').join(', ')})`,
      values,
    );
  }

  /** Returns an episode without its named state where a replay gives that back. */
  private compact(episode: NonNullable<Sample['episode']>) {
    const { states, ...others } = episode;
    return this.facts.replays ? others : { ...others, states };
  }

  /** Returns the row of a text or a record, which is written unless it is there. */
  private blob(content: string | Uint8Array): number {
    const { database, run, dictionary } = this;
    const bytes = Buffer.from(content);
    const hash = createHash('sha256').update(bytes).digest().subarray(0, 16);
    const [known] = database.all<{ id: number }>('SELECT id FROM blobs WHERE hash = ?', [hash]);
    if (known) {
      database.run('UPDATE blobs SET uses = uses + 1 WHERE id = ?', [known.id]);
      return known.id;
    }
    return database.run('INSERT INTO blobs (hash, uses, dictionary, body) VALUES (?, 1, ?, ?)', [
      hash,
      run,
      deflated(bytes, dictionary!),
    ]).id;
  }

  private writeTokens(ids: readonly number[]): void {
    for (const id of ids) {
      if (this.texts.has(id)) continue;
      this.texts.add(id);
      this.database.run('INSERT OR IGNORE INTO tokens (run, token, text) VALUES (?, ?, ?)', [
        this.run,
        id,
        this.facts.decode(id),
      ]);
    }
  }

  /** Makes the dictionary of a run from what its first step has. */
  private makeDictionary(batches: readonly ScoredBatch[]): Buffer {
    const samples = batches.flatMap((batch) => batch.samples);
    const episode = samples.find((sample) => sample.episode)?.episode;
    const dictionary = dictionaryOf([
      ...samples.slice(0, 16).flatMap(({ completion, code }) => [completion, code ?? '']),
      ...(episode ? [packEpisode({ ...this.compact(episode), observations: [] }).toString('latin1')] : []),
    ]);
    this.database.run('UPDATE runs SET dictionary = ? WHERE id = ?', [deflated(dictionary), this.run]);
    return dictionary;
  }

  /** Removes the oldest rollouts, but for the best of each run. */
  private sweep(): void {
    const { database, limit } = this;
    const best = Math.min(BEST, Math.floor(limit / 8));
    const stay = database
      .all<{ id: number }>('SELECT id FROM runs')
      .flatMap(({ id }) =>
        database.all<{ id: number }>('SELECT id FROM rollouts WHERE run = ? ORDER BY reward DESC, id LIMIT ?', [
          id,
          best,
        ]),
      );
    const count = this.kept - limit + Math.floor(limit * SWEEP);
    this.kept -= database.run(
      `DELETE FROM rollouts WHERE id IN (
         SELECT id FROM rollouts WHERE id NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?)`,
      [JSON.stringify(stay.map(({ id }) => id)), count],
    ).changes;
  }
}

/**
 * Opens the database of a run in a folder, which is made.
 *
 * @throws DatabaseError, or an error of the file system
 */
export function openWriter(path: string, facts: RunFacts, limit: number): RolloutWriter {
  const folder = dirname(path);
  if (mkdirSync(folder, { recursive: true }) !== undefined && /(^|[/\\])\.joylab$/.test(folder))
    writeFileSync(join(folder, '.gitignore'), '*\n');
  const database = Database.create(path);
  try {
    return new RolloutWriter(database, facts, limit);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Returns what few rollouts have, as JSON; `null` for none of it. */
function detailsOf(
  { problems, environmentError, duplicateOf, parent }: Sample,
  extra: ScoredBatch['extra'],
  i: number,
): string | null {
  const details = {
    ...(problems.length > 0 && { problems }),
    ...(environmentError !== undefined && { environmentError }),
    ...(duplicateOf !== undefined && { duplicateOf }),
    ...(parent && { parent: { id: parent.id, worth: parent.worth } }),
    ...(extra.size > 0 && {
      extra: Object.fromEntries([...extra].map(([column, values]) => [column, values[i] ?? null])),
    }),
  };
  return Object.keys(details).length > 0 ? stringifyExact(details) : null;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
