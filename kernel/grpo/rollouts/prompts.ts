import type { ChatMessage, Tokenizer } from '../../models/tokenizer/tokenizer';
import type { RolloutEnvironment } from '../../environments/environment';
import { deriveSeed, permutation } from '../../training/seeds';
import type { RunLength } from '../../training/trainer';
import type { ResolvedConfig } from '../config';
import type { ResolvedRefinement } from '../refinement/settings';

/**
 * A row of the training data: a prompt as text, or as messages to which the
 * model's chat template is applied. Reward functions get the other columns as
 * members of the sample.
 */
export interface TrainRow {
  prompt: string | ChatMessage[];
  [column: string]: unknown;
}

/** A prompt ready for the model. */
export interface Prompt {
  text: string;
  ids: number[];
  /** The other columns of the row. */
  columns: Record<string, unknown>;
}

/** Settings of a {@link PromptSource}: order and form of the prompts. */
export interface PromptSettings {
  seed: number;
  shuffleDataset: boolean;
  chatTemplateKwargs: Record<string, unknown> | null;
  /** Prompts of a generation. */
  groupsPerGeneration: number;
}

/** The prompts of a run, in the order in which its groups draw them. */
export class PromptSource {
  /** Encoded prompts, by text or messages: a data set often repeats one prompt. */
  private readonly cache = new Map<TrainRow['prompt'], { text: string; ids: number[] }>();

  constructor(
    private readonly rows: readonly TrainRow[],
    private readonly tokenizer: Tokenizer,
    private readonly settings: PromptSettings,
    private readonly name = 'trainDataset',
  ) {
    if (!Array.isArray(rows) || rows.length === 0)
      throw new TypeError(`${name} has no rows: give at least one { prompt }.`);
    rows.forEach((row, index) => checkRow(row, `${name}[${index}]`));
  }

  /** Number of rows. */
  get length(): number {
    return this.rows.length;
  }

  /** Number of rows that an epoch uses: the last ones that do not fill a generation are left out, as in TRL. */
  get rowsPerPass(): number {
    const { groupsPerGeneration: together } = this.settings;
    return Math.floor(this.length / together) * together || this.length;
  }

  /** Returns the prompt of the `index`-th group of the run: each epoch has its own order. */
  at(index: number): Prompt {
    return this.row(this.rowAt(index));
  }

  private rowAt(index: number): number {
    const pass = Math.floor(index / this.rowsPerPass);
    const position = index % this.rowsPerPass;
    const { seed, shuffleDataset } = this.settings;
    return shuffleDataset ? permutation(this.length, deriveSeed(seed, 'dataset', pass))[position] : position;
  }

  /** Returns the same prompt as {@link at}, with an addition at the end of its text, or of the user's last message. */
  edited(index: number, addition: string): Prompt {
    const row = this.rowAt(index);
    const { prompt: source } = this.rows[row];
    return {
      ...this.encode(typeof source === 'string' ? `${source}\n${addition}` : withAddition(source, addition)),
      columns: this.row(row).columns,
    };
  }

  /** Returns the prompt of a row. Throws a TypeError when it is empty. */
  row(row: number): Prompt {
    const { prompt: source, completion: _, completion_ids: __, ...columns } = this.rows[row];
    let prompt = this.cache.get(source);
    if (!prompt) {
      prompt = this.encode(source);
      if (prompt.ids.length === 0) throw new TypeError(`${this.name}[${row}].prompt is empty.`);
      this.cache.set(source, prompt);
    }
    return { ...prompt, columns };
  }

  private encode(source: TrainRow['prompt']): { text: string; ids: number[] } {
    if (typeof source === 'string') return { text: source, ids: this.tokenizer.encode(source) };
    const text = this.tokenizer.applyChatTemplate(source, {
      ...this.settings.chatTemplateKwargs,
      tokenize: false,
      addGenerationPrompt: true,
    });
    // The template writes the special tokens itself.
    return { text, ids: this.tokenizer.encode(text, { addSpecialTokens: false }) };
  }

  /** Returns the number of tokens of the longest prompt. */
  longest(): number {
    return this.rows.reduce((longest, _, row) => Math.max(longest, this.row(row).ids.length), 0);
  }
}

function withAddition(messages: ChatMessage[], addition: string): ChatMessage[] {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  return messages.map((message, i) =>
    i === (last < 0 ? messages.length - 1 : last)
      ? { ...message, content: `${message.content}\n${addition}` }
      : message,
  );
}

/** Members of a sample, which a column must not replace. */
const taken = [
  'step',
  'parent',
  'duplicateOf',
  'code',
  'problems',
  'episode',
  'reference',
  'completionIds',
  'trainerState',
  'logExtra',
  'logMetric',
];

function checkRow(row: TrainRow, where: string): void {
  const prompt: unknown = row?.prompt;
  const isChat =
    Array.isArray(prompt) &&
    prompt.length > 0 &&
    prompt.every((m) => typeof m?.role === 'string' && typeof m?.content === 'string');
  if (typeof prompt !== 'string' && !isChat)
    throw new TypeError(`${where}.prompt must be a string or a list of { role, content } messages.`);
  const clash = taken.find((name) => name in row);
  if (clash)
    throw new TypeError(
      `${where}: reward functions find something else under the name ${clash}. Give the column another name.`,
    );
}

/** Returns a thousand rows with the environment's prompt, as in the public notebook. */
export function defaultDataset(env: RolloutEnvironment): TrainRow[] {
  const { strategyPrompt } = require('../../environments/prompt') as typeof import('../../environments/prompt');
  return Array<TrainRow>(1000).fill({ prompt: [{ role: 'user', content: strategyPrompt(env) }] });
}

/** Returns the number of groups of a generation. */
export function groupsPerGeneration({ generationBatchSize, numGenerations }: ResolvedConfig): number {
  return generationBatchSize / numGenerations;
}

/** Returns the length of a run over these prompts, in steps. */
export function runLength(config: ResolvedConfig, prompts: PromptSource): Omit<RunLength, 'evaluates'> {
  const { stepsPerGeneration, numIterations, gradientAccumulationSteps, numTrainEpochs, maxSteps, refinement } = config;
  const generations = prompts.rowsPerPass / groupsPerGeneration(config);
  const stepsPerEpoch = (generations * stepsPerGeneration * numIterations) / gradientAccumulationSteps;
  const planned = maxSteps > 0 ? maxSteps : Math.ceil(stepsPerEpoch * numTrainEpochs);
  const totalSteps = refinement ? refinedSteps(config, refinement) : planned;
  return { stepsPerEpoch, totalSteps, epochAt: (step) => step / stepsPerEpoch };
}

/** Episodes of a run with refinement that has neither `maxSteps` nor `maxEpisodes`. */
const REFINED_EPISODES = 1920;

/**
 * Returns the steps of a run with refinement: `maxSteps`, or fewer when `maxEpisodes` ends it.
 *
 * @throws TypeError when `maxEpisodes` leaves no step
 */
export function refinedSteps(
  config: ResolvedConfig,
  { maxEpisodes, freshShare, replays, validationEpisodes, initialPrograms }: ResolvedRefinement,
): number {
  const { stepsPerGeneration, numIterations, gradientAccumulationSteps, maxSteps, generationBatchSize } = config;
  const allowed = maxEpisodes ?? (maxSteps > 0 ? Infinity : REFINED_EPISODES);
  const groups = groupsPerGeneration(config);
  const perGeneration = generationBatchSize + groups - Math.floor(groups * freshShare) + replays;
  const generations = Math.floor((allowed - validationEpisodes - initialPrograms.length) / perGeneration);
  const steps = Math.floor((generations * stepsPerGeneration * numIterations) / gradientAccumulationSteps);
  if (steps < 1) {
    throw new TypeError(
      `GRPOConfig.refinement: maxEpisodes = ${allowed} leaves no step: a generation plays up to ${perGeneration} episodes, and the validation ${validationEpisodes}.`,
    );
  }
  return maxSteps > 0 ? Math.min(maxSteps, steps) : steps;
}

/** Approximate tokens of an edit prompt beside the environment's prompt and the program. */
const EDIT_TOKENS = 64;
/** Approximate tokens of the shortest program that is worth editing. */
const SHORTEST_PROGRAM = 32;

/**
 * Returns the largest number of tokens of a completion: the setting, or what the
 * model's `maxSeqLength` leaves after the longest prompt, up to 512.
 *
 * @param longestPrompt its number of tokens
 * @throws RangeError when they do not fit
 */
export function completionLimit(
  { maxCompletionLength: setting, refinement }: Pick<ResolvedConfig, 'maxCompletionLength' | 'refinement'>,
  maxSeqLength: number,
  longestPrompt: number,
): number {
  if (refinement) return refinedCompletionLimit(setting, maxSeqLength, longestPrompt);
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

/** Returns the same with refinement: a prompt also has a program, which may be as long as a completion. */
function refinedCompletionLimit(setting: number | undefined, maxSeqLength: number, longestPrompt: number): number {
  const room = maxSeqLength - longestPrompt - EDIT_TOKENS;
  const limit = setting ?? Math.min(512, Math.floor(room / 2));
  if (room - limit >= SHORTEST_PROGRAM && limit >= (setting ?? SHORTEST_PROGRAM)) return limit;
  const needed = longestPrompt + EDIT_TOKENS + 2 * Math.max(setting ?? 0, SHORTEST_PROGRAM);
  throw new RangeError(
    `With refinement a prompt holds a program, too: the longest prompt has ${longestPrompt} tokens${setting === undefined ? '' : `, maxCompletionLength is ${setting}`}, and maxSeqLength is ${maxSeqLength}. ` +
      `Load the model with maxSeqLength: ${needed} or more, or shorten prompt and completions.`,
  );
}
