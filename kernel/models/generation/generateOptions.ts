import type { GenerateOptions } from './generate';
import type { GenerationConfig } from './generationConfig';
import { because, checkOptions, type OptionTable } from '../options';

/** Options that `generate` takes from the model's `generationConfig`, too. */
const CONFIG_NAMES: Record<keyof GenerationConfig, true> = {
  doSample: true,
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  repetitionPenalty: true,
  maxNewTokens: true,
  minNewTokens: true,
  maxLength: true,
};

/** Options that say what is generated from, and who follows it. */
const CALL_NAMES: Record<
  Exclude<keyof GenerateOptions, keyof GenerationConfig | 'eosTokenId' | 'stopStrings'>,
  true
> = {
  inputIds: true,
  input_ids: true,
  attentionMask: true,
  numReturnSequences: true,
  seed: true,
  streamer: true,
  signal: true,
};

const NAMES: Record<keyof GenerateOptions, true> = {
  ...CONFIG_NAMES,
  ...CALL_NAMES,
  eosTokenId: true,
  stopStrings: true,
};

/**
 * Settings of `generation_config.json` that change what transformers generates and that
 * Joylab does not have, with the values besides null and nothing at which they
 * change nothing.
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
  ...because(
    'it is not supported',
    Object.keys(UNSUPPORTED).map((name) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())),
  ),
  ...because('completions are not padded', ['padTokenId']),
  ...because('the keys and values are always kept', ['useCache', 'cacheImplementation', 'pastKeyValues']),
  ...because('a generation has sequences and logprobs', ['returnDictInGenerate', 'outputScores', 'outputLogits']),
  maxTokens: 'it is called maxNewTokens',
  minLength: 'give minNewTokens, which does not count the prompt',
  stopStrings: 'give it to generate',
  eosTokenId: 'give it to generate',
};

const generateTable: OptionTable = {
  owner: 'generate',
  example: '{ ...tokenizer(text), maxNewTokens: 128 }',
  names: NAMES,
  elsewhere,
};
const configTable: OptionTable = {
  owner: "the model's generationConfig",
  example: '{ temperature: 0.7 }',
  names: CONFIG_NAMES,
  elsewhere,
};

/** Checks the names of options of `generate`. */
export function checkGenerateOptions(given: object): void {
  checkOptions(generateTable, given);
}

/** Checks the names of a model's defaults, which users may change. */
export function checkGenerationConfig(given: object): void {
  checkOptions(configTable, given);
}

/** Checks options of `generate` that a trainer passes on: `owner` names the setting, and the trainer itself says what is generated from. */
export function checkGenerationKwargs(owner: string, given: object): void {
  const names = Object.fromEntries(
    Object.keys(NAMES)
      .filter((name) => !(name in CALL_NAMES))
      .map((name) => [name, true as const]),
  );
  const own = because('the trainer sets it', Object.keys(CALL_NAMES));
  checkOptions({ ...generateTable, owner, names, elsewhere: { ...elsewhere, ...own } }, given);
}
