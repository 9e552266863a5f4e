import type { ChatMessage, Tokenizer } from '../models/tokenizer';
import type { VectorEnvironment } from '../environments/environment';
import { completionsPerStep, type ResolvedConfig } from './config';
import { deriveSeed, permutation } from './seeds';

/** A row of the training data: a prompt as text, or as messages to which the model's chat template is applied. */
export interface TrainRow {
  prompt: string | ChatMessage[];
}

/** A prompt ready for the model. */
export interface Prompt {
  text: string;
  ids: number[];
}

/** The prompts of a run, in the order in which its groups draw them. */
export class PromptSource {
  /** By text or messages: a data set often repeats one prompt. */
  private readonly cache = new Map<TrainRow['prompt'], Prompt>();

  constructor(
    private readonly rows: readonly TrainRow[],
    private readonly tokenizer: Tokenizer,
    private readonly settings: { seed: number; shuffleDataset: boolean },
  ) {
    if (!Array.isArray(rows) || rows.length === 0) throw new TypeError('trainDataset has no rows: give at least one { prompt }.');
    rows.forEach(checkRow);
  }

  /** Number of rows. */
  get length(): number {
    return this.rows.length;
  }

  /** The prompt of the `index`-th group of the run: each pass over the rows has its own order. */
  at(index: number): Prompt {
    const pass = Math.floor(index / this.rows.length);
    const position = index % this.rows.length;
    const { seed, shuffleDataset } = this.settings;
    const row = shuffleDataset ? permutation(this.rows.length, deriveSeed(seed, 'dataset', pass))[position] : position;
    return this.prompt(row);
  }

  /** Tokens of the longest prompt. */
  longest(): number {
    return this.rows.reduce((longest, _, row) => Math.max(longest, this.prompt(row).ids.length), 0);
  }

  private prompt(row: number): Prompt {
    const { prompt: source } = this.rows[row];
    let prompt = this.cache.get(source);
    if (!prompt) {
      const chat = typeof source !== 'string';
      const text = chat ? (this.tokenizer.applyChatTemplate(source, { tokenize: false, addGenerationPrompt: true }) as string) : source;
      // The template writes the special tokens itself.
      const ids = this.tokenizer.encode(text, { addSpecialTokens: !chat });
      if (ids.length === 0) throw new TypeError(`trainDataset[${row}].prompt is empty.`);
      this.cache.set(source, (prompt = { text, ids }));
    }
    return prompt;
  }
}

function checkRow(row: TrainRow, index: number): void {
  const prompt: unknown = row?.prompt;
  const isChat = Array.isArray(prompt) && prompt.length > 0 && prompt.every((m) => typeof m?.role === 'string' && typeof m?.content === 'string');
  if (typeof prompt === 'string' || isChat) return;
  throw new TypeError(`trainDataset[${index}].prompt must be a string or a list of { role, content } messages.`);
}

/** The environment's prompt a thousand times, as in the public notebook. */
export function defaultDataset(env: VectorEnvironment): TrainRow[] {
  const { strategyPrompt } = require('../environments/prompt') as typeof import('../environments/prompt');
  return Array<TrainRow>(1000).fill({ prompt: [{ role: 'user', content: strategyPrompt(env) }] });
}

/** Training steps of a run over `rows` rows. */
export function totalSteps(config: ResolvedConfig, rows: number): number {
  if (config.maxSteps > 0) return config.maxSteps;
  const groupsPerStep = completionsPerStep(config) / config.numGenerations;
  return Math.ceil((rows / groupsPerStep) * config.numTrainEpochs) * config.numIterations;
}

/**
 * Tokens of a completion at most: the setting, or what the model's
 * `maxSeqLength` leaves after the longest prompt, up to 512.
 *
 * @throws RangeError where they do not fit
 */
export function completionLimit(setting: number | undefined, maxSeqLength: number, longestPrompt: number): number {
  const room = maxSeqLength - longestPrompt;
  if (room < 1) {
    throw new RangeError(
      `The longest prompt has ${longestPrompt} tokens, and maxSeqLength is ${maxSeqLength}: no room for a completion. ` +
        `Load the model with a larger maxSeqLength, or shorten the prompt.`,
    );
  }
  if (setting !== undefined && setting > room) {
    throw new RangeError(
      `GRPOConfig: maxCompletionLength is ${setting}, but the longest prompt has ${longestPrompt} tokens and maxSeqLength is ` +
        `${maxSeqLength}. Valid: up to ${room}.`,
    );
  }
  return setting ?? Math.min(512, room);
}
