import type { CausalLM } from '../../models/causalLM';
import type { Tokenizer } from '../../models/tokenizer/tokenizer';
import type { StepContext } from '../context';
import type { Completion } from './play';
import { groupsPerGeneration, type Prompt } from './prompts';
import { environmentSeed, samplingSeed } from './seeds';

/** A group to be made: its prompt, and what is random in it. */
export interface Group {
  prompt: Prompt;
  samplingSeed: number;
  /** Seed of the start that all its strategies play from. */
  environmentSeed: number;
}

/** The completions of groups as token IDs, one group after the other: what an update needs of them. */
export interface CompletionTokens {
  /** One per group. */
  promptIds: number[][];
  completionIds: number[][];
  /** Completion i answers prompt `promptOf[i]`. */
  promptOf: number[];
  /** Log-probability of each token when it was sampled. */
  logprobs: Float32Array[];
  /** True for completions that came to their end before the limit. */
  terminated: boolean[];
}

/** Returns the groups of a generation: each has the next prompt. */
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

/** Returns the tokens that end a completion in training: as in TRL those that the model names, and the tokenizer's own. */
function endTokens({ eosTokenIds }: CausalLM, { eosTokenId }: Tokenizer): number[] {
  return [...new Set([...(typeof eosTokenId === 'number' ? [eosTokenId] : []), ...eosTokenIds])];
}

/** Returns the completions as texts, with what else {@link play} takes. */
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
