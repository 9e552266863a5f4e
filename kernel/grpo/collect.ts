import type { EpisodeFrames } from '../rollout';
import type { VectorEnvironment } from '../environments/environment';
import { RewardError, scoreWith, type RewardTable, type WeightedReward } from '../rewards/scoring';
import type { Sample } from '../rewards/sample';
import type { Tokenizer } from '../models/tokenizer';
import { completionsPerStep, type ResolvedConfig } from './config';
import type { PromptSource } from './prompts';
import { deriveSeed } from './seeds';
import type { CausalLM } from '../models/causalLM';

/** What collecting rollouts needs. */
export interface CollectContext {
  model: CausalLM;
  tokenizer: Tokenizer;
  env: VectorEnvironment | null;
  prompts: PromptSource;
  config: ResolvedConfig;
  /** Numbers the generations of a run from 0; prompts and seeds follow from it. */
  generation: number;
  /** Training step, as samples carry it (from 1). */
  step: number;
  /** Episodes to capture frames of, at most; 0 for none. */
  frames: number;
  signal: AbortSignal;
}

/** Completions of a step with the episodes they played: everything before rewards. */
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
 * Generates the groups of a step and plays them: each group answers one
 * prompt, and its strategies play from one start.
 *
 * @throws the signal's reason when aborted
 */
export async function collect(context: CollectContext): Promise<Rollouts> {
  const rollouts = await generate(context);
  await play(rollouts, context);
  return rollouts;
}

async function generate({ model, tokenizer, prompts, config, generation, step, signal }: CollectContext): Promise<Rollouts> {
  const groups = completionsPerStep(config) / config.numGenerations;
  const result: Rollouts = { promptIds: [], completionIds: [], promptOf: [], logprobs: [], terminated: [], samples: [], frames: new Map() };
  for (let g = 0; g < groups; g++) {
    signal.throwIfAborted();
    const prompt = prompts.at(generation * groups + g);
    const output = await model.generate({
      inputIds: prompt.ids,
      numReturnSequences: config.numGenerations,
      maxNewTokens: config.maxCompletionLength,
      temperature: config.temperature,
      topK: config.topK,
      topP: config.topP,
      minP: config.minP ?? 0,
      repetitionPenalty: config.repetitionPenalty,
      seed: deriveSeed(config.seed, 'sampling', generation, g),
      signal,
    });
    signal.throwIfAborted();
    result.promptIds.push(prompt.ids);
    output.sequences.forEach((completionIds, i) => {
      result.completionIds.push(completionIds);
      result.promptOf.push(g);
      result.logprobs.push(output.logprobs[i]);
      result.terminated.push(output.terminated[i]);
      result.samples.push(emptySample(prompt.text, completionIds, tokenizer, step));
    });
  }
  return result;
}

function emptySample(prompt: string, completionIds: number[], tokenizer: Tokenizer, step: number): Sample {
  const completion = tokenizer.decode(completionIds, { skipSpecialTokens: true });
  return { prompt, completion, completionIds, code: null, problems: [], episode: null, step };
}

/** Extracts, checks and plays the strategies, and fills in the samples. */
async function play(rollouts: Rollouts, { env, config, generation, frames, signal }: CollectContext): Promise<void> {
  if (!env) return;
  const { extractFunction, checkCode } = require('../strategy') as typeof import('../strategy');
  const { rollout } = require('../rollout') as typeof import('../rollout');
  const { samples, promptOf } = rollouts;
  for (const sample of samples) {
    sample.code = extractFunction(sample.completion);
    sample.problems = sample.code === null ? [] : checkCode(sample.code);
  }
  const playable = samples.map(({ code, problems }) => (problems.length === 0 ? code : null));
  const shown = playable.flatMap((code, i) => (code === null ? [] : [i])).slice(0, frames);
  const { episodes, frames: captured } = await rollout(env, playable, {
    seeds: promptOf.map((group) => deriveSeed(config.seed, 'environment', generation, group)),
    maxSteps: config.maxEpisodeSteps,
    seconds: config.strategySeconds,
    signal,
    ...(shown.length > 0 && { frames: { episodes: shown, every: 4 } }),
  });
  signal.throwIfAborted();
  samples.forEach((sample, i) => void (sample.episode = episodes[i]));
  rollouts.frames = captured;
}

/**
 * Scores the samples with every function, also after one failed, so that its
 * correction can be compared on the same rollouts.
 */
export async function scoreAll(
  rewards: readonly WeightedReward[],
  samples: readonly Sample[],
  signal: AbortSignal,
): Promise<{ table: RewardTable; error: RewardError | null }> {
  const table: RewardTable = { names: [], weights: [], values: [] };
  let error: RewardError | null = null;
  for (const reward of rewards) {
    try {
      table.values.push(await scoreWith(reward, samples, signal));
      table.names.push(reward.name);
      table.weights.push(reward.weight);
    } catch (failure) {
      if (!(failure instanceof RewardError)) throw failure;
      error ??= failure;
    }
  }
  return { table, error };
}
