import {
  because,
  checked,
  checkSettings,
  flag,
  nullable,
  number,
  unchecked,
  whole,
  type Declaration,
  type Given,
  type Resolved,
  type Settings,
} from '../../common/settings';
import { camelCase } from '../../common/names';
import type { Streamer } from './streamer';

/** Settings of sampling, by transformers' names and with its defaults. */
export const samplingSettings = {
  /** Logits are divided by it; 0 takes the most likely token. 1 by default. */
  temperature: number(1, { from: 0, note: '0 takes the most likely token' }),
  /** Keeps this many most likely tokens; 0 means all. 50 by default. */
  topK: whole(50, { from: 0, note: '0 means all tokens' }),
  /** Nucleus sampling: keeps the most likely tokens of this total probability. 1 by default: all. */
  topP: number(1, { above: 0, to: 1, note: '1 means all tokens' }),
  /** Keeps tokens at least this fraction as likely as the most likely one. 0 by default: all. */
  minP: number(0, { from: 0, to: 1, note: '0 means all tokens' }),
  /** Logits of tokens that occurred already are divided (if negative, multiplied) by it. 1 by default: nothing changes. */
  repetitionPenalty: number(1, { above: 0, note: '1 changes nothing' }),
};

/** Settings of sampling with all values. */
export type SamplingOptions = Resolved<typeof samplingSettings>;

/** Settings of the kind of decoding and the length of a completion. */
const lengthSettings = {
  /**
   * Whether tokens are sampled; otherwise the most likely one is taken, as with
   * temperature 0. `true` by default where an option of sampling is given.
   */
  doSample: flag(undefined),
  /** Largest number of new tokens of a completion; the model's `maxSeqLength` is a limit, too. 256 by default. */
  maxNewTokens: whole(undefined, { from: 1 }),
  /** Smallest number of new tokens of a completion: end tokens are not chosen before. 0 by default. */
  minNewTokens: whole(0, { from: 0 }),
  /** Largest number of tokens with the prompt, where `maxNewTokens` is not given. */
  maxLength: whole(undefined, { from: 1 }),
};

/** Options that `generate` takes from the model's `generationConfig`, too. */
const configSettings: Settings = { ...samplingSettings, ...lengthSettings };

/** Defaults of `generate`, as a model's `generation_config.json` gives them. */
export interface GenerationConfig extends Given<typeof samplingSettings>, Given<typeof lengthSettings> {}

/** Ends of a completion. */
const endSettings = {
  /** A completion ends at any of these tokens. The model's own by default. */
  eosTokenId: nullable(unchecked<number | number[]>('a token ID, or a list of them')),
  /** A completion also ends when its text contains one of these. None by default. */
  stopStrings: checked<string | string[]>(undefined, 'a text, or a list of them', (v) =>
    [v].flat().every((text) => typeof text === 'string'),
  ),
};

/** Settings of one call: prompts, seed, streamer, signal. */
const callSettings = {
  /** Token IDs of one prompt or of several: what `tokenizer(text)` gives. */
  inputIds: unchecked<number[] | number[][]>('token IDs, as tokenizer(text) gives them'),
  /** The same as `inputIds`, by transformers' name. */
  input_ids: unchecked<number[] | number[][]>('token IDs, as tokenizer(text) gives them'),
  /** 1 or 0 for each token ID: those with 0 are left out (padding). */
  attentionMask: unchecked<number[] | number[][]>('1 or 0 for each token ID'),
  /** Completions per prompt; they share the prompt's computation. 1 by default. */
  numReturnSequences: whole(1, { from: 1 }),
  /**
   * The same seed gives the same completions, whatever else is in the batch (but for rounding). A list has one per
   * prompt. A random one by default.
   */
  seed: unchecked<number | number[]>('a whole number, or a list with one per prompt'),
  /** This many of the most likely tokens in the place of each are told, too: `topLogprobs` of the result. 0 by default. */
  topLogprobs: whole(0, { from: 0, to: 100 }),
  /** Follows the generation of a single completion. */
  streamer: unchecked<Streamer>('an object with put and end, such as new TextStreamer(tokenizer)'),
  /** Ends the generation with the reason of the abort as error. */
  signal: unchecked<AbortSignal>('an AbortSignal'),
};

/** Options of `model.generate`. Settings that are not given are the model's `generationConfig`'s, then transformers' defaults. */
export interface GenerateOptions extends GenerationConfig, Given<typeof endSettings>, Given<typeof callSettings> {}

/**
 * Settings of `generation_config.json` that change what transformers generates and
 * that Joylab does not have, with the values, beside null and empty ones, at which
 * they change nothing.
 */
export const UNSUPPORTED: Readonly<Record<string, readonly unknown[]>> = {
  min_length: [0],
  max_time: [],
  num_beams: [1],
  num_beam_groups: [1],
  diversity_penalty: [0],
  penalty_alpha: [0],
  dola_layers: [],
  top_h: [],
  typical_p: [1],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
  encoder_repetition_penalty: [1],
  no_repeat_ngram_size: [0],
  bad_words_ids: [],
  force_words_ids: [],
  constraints: [],
  forced_bos_token_id: [],
  forced_eos_token_id: [],
  exponential_decay_length_penalty: [],
  suppress_tokens: [],
  begin_suppress_tokens: [],
  sequence_bias: [],
  token_healing: [false],
  guidance_scale: [1],
  watermarking_config: [],
  stop_strings: [],
};

const elsewhere: Record<string, string> = {
  ...because('it is not supported', Object.keys(UNSUPPORTED).map(camelCase)),
  ...because('completions are not padded', ['padTokenId']),
  ...because('the keys and values are always kept', ['useCache', 'cacheImplementation', 'pastKeyValues']),
  ...because('a generation has sequences and logprobs', ['returnDictInGenerate', 'outputScores', 'outputLogits']),
  maxTokens: 'it is called maxNewTokens',
  minLength: 'give minNewTokens, which does not count the prompt',
  stopStrings: 'give it to generate',
  eosTokenId: 'give it to generate',
};

/** The options of `generate`. */
export const generateDeclaration: Declaration = {
  owner: 'generate',
  noun: 'option',
  example: '{ ...tokenizer(text), maxNewTokens: 128 }',
  settings: { ...configSettings, ...endSettings, ...callSettings },
  elsewhere,
};

const configDeclaration: Declaration = {
  owner: "the model's generationConfig",
  noun: 'option',
  example: '{ temperature: 0.7 }',
  settings: configSettings,
  elsewhere,
};

/** Throws when a model's defaults, which users may change, are not valid. */
export function checkGenerationConfig(given: object): void {
  checkSettings(configDeclaration, given);
}

/**
 * Throws when options of `generate` that a trainer passes on are not valid: the
 * trainer itself sets prompts, seed and streamer.
 *
 * @param owner names the trainer's setting in errors
 */
export function checkGenerationKwargs(owner: string, given: object): void {
  const declaration: Declaration = {
    ...generateDeclaration,
    owner,
    settings: { ...configSettings, ...endSettings },
    elsewhere: { ...elsewhere, ...because('the trainer sets it', Object.keys(callSettings)) },
  };
  checkSettings(declaration, given);
}
