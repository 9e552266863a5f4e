import { KeyValueCache } from './cache';
import type { GenerationSettings } from './generationConfig';
import type { InferenceEngine } from './inference';
import type { Prefills } from './prefills';
import { PromptCache } from './promptCache';
import type { Random } from '../../common/random';
import { RowGrowth, type GrowthSetting } from './rowGrowth';
import { Sampler, type TokenLogprob } from './sampling';

/** A prompt, and the largest number of tokens of its completions. */
export interface Prompt {
  ids: readonly number[];
  limit: number;
}

/** A completion that grows. */
export interface Row {
  prompt: Prompt;
  ids: number[];
  logprobs: number[];
  /** The most likely tokens in the place of each token, where they are asked for. */
  top: TokenLogprob[][];
  terminated: boolean;
  random: Random;
  /** Tokens of the prompt and of the completion. */
  seen: Set<number>;
}

/** What the rows of a batch share. */
export interface BatchSetting extends GrowthSetting {
  engine: InferenceEngine;
  prefills: Prefills;
  settings: GenerationSettings;
  signal?: AbortSignal;
  /** Number of the most likely tokens to tell in the place of each. */
  topLogprobs: number;
  /** Called after each token of the batch. */
  onToken(): void;
}

/** Generates completions together: each prompt once, then a token of every unfinished completion per step. */
export class Batch {
  private readonly sampler: Sampler;
  private readonly growth: RowGrowth;

  /** @param rows rows of the same prompt are adjacent */
  constructor(
    private readonly setting: BatchSetting,
    private readonly rows: readonly Row[],
  ) {
    this.sampler = new Sampler(setting.settings);
    this.growth = new RowGrowth(setting);
  }

  async run(): Promise<void> {
    const { engine, streamer, signal } = this.setting;
    signal?.throwIfAborted();
    const prompts = [...new Set(this.rows.map((row) => row.prompt))];
    streamer?.put(prompts[0].ids);
    const prefills = [];
    for (const prompt of prompts) {
      const prefill = await this.setting.prefills.of(prompt, signal);
      prefills.push(prefill);
      const rows = this.rows.filter((row) => row.prompt === prompt);
      this.takeFirst(rows, prefill.logits);
    }
    const longest = Math.max(...prompts.map(({ limit }) => limit));
    const state = {
      prompts: new PromptCache(engine.config, prefills),
      cache: new KeyValueCache(engine.config, this.rows.length, longest),
    };
    prefills.length = 0;
    let active = this.keepUnfinished(
      { rows: [...this.rows], groups: this.rows.map((row) => prompts.indexOf(row.prompt)) },
      state,
    );
    while (active.rows.length > 0) {
      signal?.throwIfAborted();
      await this.step(active.rows, state);
      this.setting.onToken();
      active = this.keepUnfinished(active, state);
    }
    streamer?.end();
  }

  /** Appends the first token to every completion of a prompt, from the same logits. */
  private takeFirst(rows: readonly Row[], logits: Float32Array): void {
    const probabilities = this.sampler.probabilities(logits, rows[0].seen);
    for (const row of rows) this.take(row, probabilities.slice());
  }

  private async step(rows: readonly Row[], { prompts, cache }: State): Promise<void> {
    const {
      sampler,
      setting: { engine },
    } = this;
    const step = await engine.decode({
      ids: rows.map((row) => row.ids[row.ids.length - 1]),
      positions: rows.map((row) => row.prompt.ids.length + row.ids.length - 1),
      wanted: sampler.penalizes ? 'logits' : 'probabilities',
      temperature: sampler.divisor,
      prompts,
      cache,
      batch: this.rows.length,
    });
    cache.append(step.newest);
    const { vocabSize } = engine.config;
    rows.forEach((row, i) => {
      const next = step.next.subarray(i * vocabSize, (i + 1) * vocabSize);
      this.take(row, sampler.penalizes ? sampler.probabilities(next, row.seen) : next);
    });
  }

  /** Appends the next token to a completion. */
  private take(row: Row, probabilities: Float32Array): void {
    const forbidden = row.ids.length < this.setting.settings.minNewTokens ? this.growth.eos : null;
    this.growth.append(
      row,
      this.sampler.choose(probabilities, { random: row.random, forbidden, top: this.setting.topLogprobs }),
    );
  }

  /** Returns the unfinished completions, and removes the others from the caches. */
  private keepUnfinished({ rows, groups }: Active, { prompts, cache }: State): Active {
    const kept = rows.flatMap((row, i) => (row.terminated || row.ids.length >= row.prompt.limit ? [] : [i]));
    if (kept.length > 0 && kept.length < rows.length) cache.keep(kept);
    const active = { rows: kept.map((i) => rows[i]), groups: kept.map((i) => groups[i]) };
    if (kept.length > 0) active.groups = [...prompts.assign(active.groups)];
    return active;
  }
}

interface State {
  prompts: PromptCache;
  cache: KeyValueCache;
}

/** Unfinished completions, and the index of each one's prompt in the prompt cache. */
interface Active {
  rows: Row[];
  groups: number[];
}
