import type { Episode, EpisodeFrames } from '../rollout';
import type { ReferenceReturns } from '../environments/reference';
import type { RolloutEnvironment } from '../rollout/environments';
import type { Sample } from '../rewards/sample';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer';
import type { ResolvedConfig } from './config';
import type { Prompt } from './prompts';

/** A group to be made: its prompt, and what is random in it. */
export interface GroupPlan {
  prompt: Prompt;
  samplingSeed: number;
  environmentSeed: number;
}

/** What collecting rollouts needs. */
export interface CollectContext {
  model: CausalLM;
  tokenizer: Tokenizer;
  env: RolloutEnvironment | null;
  /** What chance gets there; undefined where nobody asks. */
  reference?: ReferenceReturns | null;
  config: ResolvedConfig;
  groups: GroupPlan[];
  /** Completions of a group. */
  numGenerations: number;
  /** Training step, as samples carry it (from 1). */
  step: number;
  /** Episodes to capture frames of, at most; 0 for none. */
  frames: number;
  /** Secret of the run, from which the strategies' random numbers follow. */
  secret: string;
  signal: AbortSignal;
}

/** Completions with the episodes they played: everything before rewards. */
export interface Rollouts {
  /** Prompts of the groups. */
  promptIds: number[][];
  completionIds: number[][];
  /** Index into `promptIds` for each completion. */
  promptOf: number[];
  /** Log-probability of each token when it was sampled. */
  logprobs: Float32Array[];
  /** Whether a completion came to its end before the limit. */
  terminated: boolean[];
  samples: Sample[];
  /** Frames of some episodes, by index of the sample. */
  frames: Map<number, EpisodeFrames>;
}

/**
 * Generates groups of completions and plays them: each group answers one
 * prompt, and its strategies play from one start.
 *
 * @throws the signal's reason when aborted
 */
export async function collect(context: CollectContext): Promise<Rollouts> {
  const rollouts = await generate(context);
  await play(rollouts, context);
  return rollouts;
}

async function generate({ model, tokenizer, config, groups, numGenerations, reference, step, signal }: CollectContext): Promise<Rollouts> {
  const output = await model.generate({
    inputIds: groups.map(({ prompt }) => prompt.ids),
    numReturnSequences: numGenerations,
    maxNewTokens: config.maxCompletionLength,
    doSample: true,
    temperature: config.temperature,
    topK: config.topK,
    topP: config.topP,
    minP: config.minP ?? 0,
    repetitionPenalty: config.repetitionPenalty,
    eosTokenId: endTokens(model, tokenizer),
    ...config.generationKwargs,
    seed: groups.map(({ samplingSeed }) => samplingSeed),
    signal,
  });
  signal.throwIfAborted();
  const promptOf = output.sequences.map((_, i) => Math.floor(i / numGenerations));
  const result: Rollouts = {
    promptIds: groups.map(({ prompt }) => prompt.ids),
    completionIds: output.sequences,
    promptOf,
    logprobs: output.logprobs,
    terminated: output.terminated,
    samples: output.sequences.map((ids, i) => emptySample(groups[promptOf[i]].prompt, ids, { tokenizer, reference, step })),
    frames: new Map(),
  };
  return result;
}

/** Tokens that end a completion in training: as in TRL those that the model names, and the tokenizer's own. */
function endTokens({ eosTokenIds }: CausalLM, { eosTokenId }: Tokenizer): number[] {
  return [...new Set([...(typeof eosTokenId === 'number' ? [eosTokenId] : []), ...eosTokenIds])];
}

function emptySample(prompt: Prompt, completionIds: number[], { tokenizer, reference, step }: Pick<CollectContext, 'tokenizer' | 'reference' | 'step'>): Sample {
  const completion = tokenizer.decode(completionIds, { skipSpecialTokens: true });
  return { ...prompt.columns, prompt: prompt.text, completion, completionIds, code: null, problems: [], episode: null, step, ...(reference !== undefined && { reference }) };
}

/** Extracts, checks and plays the strategies, and fills in the samples. */
async function play(rollouts: Rollouts, { env, config, groups, frames, secret, signal }: CollectContext): Promise<void> {
  if (!env) return;
  const { extractFunction } = require('../strategy') as typeof import('../strategy');
  const { checkCodeAsync } = require('../strategy/check') as typeof import('../strategy/check');
  const { rollout } = require('../rollout') as typeof import('../rollout');
  const { samples, promptOf } = rollouts;
  for (const sample of samples) {
    sample.code = extractFunction(sample.completion);
    sample.problems = sample.code === null ? [] : await checkCodeAsync(sample.code);
    signal.throwIfAborted();
  }
  const playable = samples.map(({ code, problems }) => (problems.length === 0 ? code : null));
  const shown = playable.flatMap((code, i) => (code === null ? [] : [i])).slice(0, frames);
  const { episodes, frames: captured } = await rollout(env, playable, {
    seeds: promptOf.map((group) => groups[group].environmentSeed),
    maxSteps: config.maxEpisodeSteps,
    seconds: config.strategySeconds,
    secret,
    signal,
    ...(shown.length > 0 && { frames: { episodes: shown, every: 4 } }),
  });
  signal.throwIfAborted();
  samples.forEach((sample, i) => fillIn(sample, episodes[i]));
  rollouts.frames = captured;
}

/** An episode that the environment could not play did not happen. */
function fillIn(sample: Sample, episode: Episode | null): void {
  if (episode?.end.reason === 'environment_error') sample.environmentError = episode.end.message;
  else sample.episode = episode;
}
