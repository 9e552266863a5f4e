import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defaultsOf } from '../../common/settings';
import { samplingSettings, UNSUPPORTED, type GenerationConfig, type SamplingOptions } from './generateOptions';
import { describe, readJsonFile } from '../checkpoint/jsonFile';

/** Settings of a generation with all values: temperature 0 is greedy. */
export interface GenerationSettings extends SamplingOptions {
  minNewTokens: number;
  maxNewTokens: (promptLength: number) => number;
}

/** Default of `maxNewTokens`. transformers stops after 20 tokens, with a warning. */
const MAX_NEW_TOKENS = 256;

/** Names of the file's settings in camelCase. */
const NAMES: Record<string, keyof GenerationConfig> = {
  do_sample: 'doSample',
  temperature: 'temperature',
  top_k: 'topK',
  top_p: 'topP',
  min_p: 'minP',
  repetition_penalty: 'repetitionPenalty',
  max_new_tokens: 'maxNewTokens',
  min_new_tokens: 'minNewTokens',
  max_length: 'maxLength',
};

/** Reads a model folder's `generation_config.json`; what it does not set, or sets to null, is left out. */
export function readGenerationConfig(folder: string): GenerationConfig {
  if (!existsSync(join(folder, 'generation_config.json'))) return {};
  const file = join(folder, 'generation_config.json');
  const raw = readJsonFile(file);
  warnOfUnsupported(file, raw);
  const given = Object.entries(NAMES).filter(([name]) => (raw[name] ?? null) !== null);
  for (const [name, ours] of given) {
    const isRight = ours === 'doSample' ? typeof raw[name] === 'boolean' : Number.isFinite(raw[name]);
    if (!isRight)
      throw new Error(
        `${file}: ${name} must be ${ours === 'doSample' ? 'true or false' : 'a number'}, or null, not ${describe(raw[name])}`,
      );
  }
  return Object.fromEntries(given.map(([name, ours]) => [ours, raw[name]])) as GenerationConfig;
}

/** Warnings that have been given: adapters and trainers read a model's file again. */
const warned = new Set<string>();

function warnOfUnsupported(file: string, raw: Record<string, unknown>): void {
  const isNothing = (value: unknown) =>
    value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
  const given = Object.entries(UNSUPPORTED).filter(
    ([name, neutral]) => !isNothing(raw[name]) && !neutral.includes(raw[name]),
  );
  if (given.length === 0) return;
  const settings = given.map(([name]) => `${name} = ${describe(raw[name])}`).join(', ');
  const message = `${file}: these settings are not supported, and generation goes on without them: ${settings}`;
  if (!warned.has(message)) console.warn(message);
  warned.add(message);
}

/**
 * Returns the settings of a call: its own, else the model's, else transformers'
 * defaults. As in transformers, tokens are sampled only if `doSample` is set; a call
 * that sets something that only sampling has, such as a temperature, a seed or several
 * completions, samples unless it says not to.
 */
export function generationSettings(
  call: GenerationConfig & { numReturnSequences?: number; seed?: unknown },
  model: GenerationConfig,
): GenerationSettings {
  const sampling: SamplingOptions = defaultsOf(samplingSettings);
  for (const name of Object.keys(sampling) as (keyof SamplingOptions)[])
    sampling[name] = call[name] ?? model[name] ?? sampling[name];
  const implied =
    [call.temperature, call.topK, call.topP, call.minP, call.seed].some((value) => value !== undefined) ||
    (call.numReturnSequences ?? 1) > 1;
  if (!(call.doSample ?? (implied || model.doSample === true))) sampling.temperature = 0;
  const maxNewTokens = call.maxNewTokens ?? (call.maxLength === undefined ? model.maxNewTokens : undefined);
  const maxLength = call.maxLength ?? model.maxLength;
  return {
    ...sampling,
    minNewTokens: call.minNewTokens ?? model.minNewTokens ?? 0,
    maxNewTokens: (promptLength) =>
      maxNewTokens ?? (maxLength === undefined ? MAX_NEW_TOKENS : maxLength - promptLength),
  };
}
