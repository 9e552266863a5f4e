import type { CausalLM } from '../../models/causalLM';
import type { Tokenizer } from '../../models/tokenizer/tokenizer';
import type { StepContext } from '../context';
import type { Completion } from './play';
import { groupsPerGeneration, type Prompt } from './prompts';
import { environmentSeed, samplingSeed } from './seeds';

/** A group to generate: its prompt and its seeds. */
export interface Group {
  prompt: Prompt;
  samplingSeed: number;
  /** Seed of the environment that all its strategies play from. */
  environmentSeed: number;
}

/** The completions of groups as token IDs, group after group. */
export interface CompletionTokens {
  /** Token IDs of the prompts, one per group. */
  promptIds: number[][];
  /** Token IDs of the completions, `numGenerations` per group. */
  completionIds: number[][];
  /** Completion i answers prompt `promptOf[i]`. */
  promptOf: number[];
  /** Log-probability of each completion token when it was sampled, in nats. */
  logprobs: Float32Array[];
  /** For each completion whether it ended before the limit. */
  terminated: boolean[];
}

/** Returns the groups of a generation, each with the next prompt. */
export function promptGroups(
  generation: number,
  { config, prompts, secret }: Pick<StepContext, 'config' | 'prompts' | 'secret'>,
): Group[] {
  const count = groupsPerGeneration(config);
  return Array.from({ length: count }, (_, g) => ({
    prompt: prompts.at(generation * count + g),
    samplingSeed: samplingSeed(config.seed, generation, g),
    environmentSeed: environmentSeed(secret, config.seed, generation, g),
  }));
}

/**
 * Samples the completions of each group.
 *
 * @throws the signal's reason when aborted
 */
export async function generate(
  groups: readonly Group[],
  { model, tokenizer, config, signal }: Pick<StepContext, 'model' | 'tokenizer' | 'config' | 'signal'>,
): Promise<CompletionTokens> {
  const promptIds = groups.map(({ prompt }) => prompt.ids);
  const output = await model.generate({
    inputIds: promptIds,
    numReturnSequences: config.numGenerations,
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
  const { sequences: completionIds, logprobs, terminated } = output;
  const promptOf = completionIds.map((_, i) => Math.floor(i / config.numGenerations));
  return { promptIds, completionIds, promptOf, logprobs, terminated };
}

/** Returns the completions of groups that were sampled elsewhere; of their log-probabilities nothing is known. */
export function tokensOf(
  completionIds: number[][],
  groups: readonly Group[],
  { model, tokenizer }: Pick<StepContext, 'model' | 'tokenizer'>,
): CompletionTokens {
  const ends = endTokens(model, tokenizer);
  const size = completionIds.length / groups.length;
  return {
    promptIds: groups.map(({ prompt }) => prompt.ids),
    completionIds,
    promptOf: completionIds.map((_, i) => Math.floor(i / size)),
    logprobs: completionIds.map(() => new Float32Array(0)),
    terminated: completionIds.map((ids) => ends.includes(ids.at(-1)!)),
  };
}

/** Returns the tokens that end a completion: as in TRL, those of the model's configuration and the tokenizer's. */
function endTokens({ eosTokenIds }: CausalLM, { eosTokenId }: Tokenizer): number[] {
  return [...new Set([...(typeof eosTokenId === 'number' ? [eosTokenId] : []), ...eosTokenIds])];
}

/** Returns the completions as {@link play} takes them. */
export function completionsOf(
  { completionIds, promptOf }: CompletionTokens,
  groups: readonly Group[],
  tokenizer: Tokenizer,
): Completion[] {
  return completionIds.map((ids, i) => {
    const { prompt, environmentSeed } = groups[promptOf[i]];
    return {
      prompt: prompt.text,
      completion: tokenizer.decode(ids, { skipSpecialTokens: true }),
      completionIds: ids,
      columns: prompt.columns,
      environmentSeed,
    };
  });
}
