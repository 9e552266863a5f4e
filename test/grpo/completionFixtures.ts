import { permutation, deriveSeed } from '../../kernel/training/seeds';
import type { GRPOConfig } from '../../kernel/grpo';
import { resolveConfig } from '../../kernel/grpo/config';
import { GRPOTrainer, type GRPOTrainerOptions } from '../../kernel/grpo/trainer';
import { FastLanguageModel, type CausalLM } from '../../kernel/models';
import { LogprobScorer } from '../../kernel/training/update/logprobScorer';
import { seededRandom } from '../../kernel/common/random';
import type { Tokenizer } from '../../kernel/models/tokenizer/tokenizer';
import type { RewardFunction } from '../../kernel/rewards';

/*
 * Runs on fixed completions and rewards: only the model's sampling is replaced,
 * the trainer is the real one.
 */

/** Completions that are generated together, with their rewards. */
export interface GenerationFixture {
  /** Token IDs of the prompt of each completion. */
  prompt_ids: number[][];
  completion_ids: number[][];
  /** Rewards of each completion by function. */
  rewards: Record<string, Array<number | null>>;
}

/** Returns groups of random completions of 1 to 12 tokens, most of which end with token 0; some reach the limit of 12. */
export function generationFixture(seed: number, groups: number, size: number): GenerationFixture {
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random.next() * n);
  const ids = (length: number) => Array.from({ length }, () => 1 + below(63));
  const result: GenerationFixture = { prompt_ids: [], completion_ids: [], rewards: { first: [], second: [] } };
  for (let g = 0; g < groups; g++) {
    const prompt = ids(4 + below(6));
    for (let i = 0; i < size; i++) {
      result.prompt_ids.push(prompt);
      result.completion_ids.push(below(4) === 0 ? ids(12) : [...ids(below(11)), 0]);
      result.rewards.first.push(3 * random.next() - 1.5);
      result.rewards.second.push(below(3) === 0 ? null : below(3));
    }
  }
  return result;
}

/** Returns `count` generations of the size that the settings of a run demand. */
export function generationFixtures(args: GRPOConfig, count = 5): GenerationFixture[] {
  const { generationBatchSize, numGenerations } = resolveConfig(args);
  return Array.from({ length: count }, (_, seed) =>
    generationFixture(seed + 1, generationBatchSize / numGenerations, numGenerations),
  );
}

/** Returns the orders into which a run shuffles its generations. */
export function shuffleOrders(args: GRPOConfig, count = 5): number[][] {
  const { generationBatchSize, stepsPerGeneration, seed } = resolveConfig(args);
  const natural = Array.from({ length: generationBatchSize }, (_, i) => i);
  return Array.from({ length: count }, (_, generation) =>
    stepsPerGeneration === 1 ? natural : permutation(generationBatchSize, deriveSeed(seed, 'shuffle', generation)),
  );
}

/** Loads a checkpoint; with `lora` under an adapter with random values. */
export async function loadModel(folder: string, lora: boolean): Promise<CausalLM> {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: folder });
  if (!lora) return model;
  const peft = FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8 });
  const random = seededRandom(9);
  for (const { data } of peft.trainableParameters().values())
    data.forEach((_, i) => (data[i] = 0.4 * (random.next() - 0.5)));
  return peft;
}

/** A tokenizer whose words are numbers, so that prompts of fixed token IDs can be written as text. */
const numbers = {
  encode: (text: string) => text.split(' ').map(Number),
  decode: (ids: number[]) => ids.join(' '),
} as unknown as Tokenizer;

/**
 * Returns a trainer whose model samples fixed completions, group after group; each
 * token's log-probability is the model's own.
 */
export function fixtureTrainer(
  model: CausalLM,
  args: GRPOConfig,
  generations: readonly GenerationFixture[],
  evaluation?: GenerationFixture,
  more: Partial<GRPOTrainerOptions> = {},
): GRPOTrainer {
  const size = resolveConfig(args).numGenerations;
  const all = [...generations, ...(evaluation ? [evaluation] : [])];
  const groupsOf = (generation: GenerationFixture) =>
    generation.completion_ids.flatMap((_, i) => (i % size === 0 ? [generation.completion_ids.slice(i, i + size)] : []));
  const queues = new Map<string, number[][][]>();
  const rewards = new Map<number[], Record<string, number | null>>();
  for (const generation of all) {
    groupsOf(generation).forEach((group, g) => {
      const prompt = generation.prompt_ids[g * size].join(' ');
      queues.set(prompt, [...(queues.get(prompt) ?? []), group]);
    });
    generation.completion_ids.forEach((ids, i) =>
      rewards.set(ids, { first: generation.rewards.first[i], second: generation.rewards.second[i] }),
    );
  }
  const rows = (from: readonly GenerationFixture[]) =>
    from.flatMap((one) => groupsOf(one).map((_, g) => ({ prompt: one.prompt_ids[g * size].join(' ') })));
  let scorer: Promise<LogprobScorer> | undefined;
  model.generate = async ({ inputIds }) => {
    const promptIds = inputIds as number[][];
    const groups = promptIds.map((ids) => queues.get(ids.join(' '))![0]);
    const [completionIds, promptOf] = [groups.flat(), groups.flatMap((group, g) => group.map(() => g))];
    scorer ??= LogprobScorer.create(model.config, model.parameters, args.temperature ?? 1);
    const { logprobs } = await (await scorer).scoreBatch({ promptIds, completionIds, promptOf });
    return { sequences: completionIds, logprobs, terminated: completionIds.map((ids) => ids.at(-1) === 0) };
  };
  const reward = (name: string): RewardFunction =>
    Object.defineProperty(({ completionIds }) => rewards.get(completionIds)![name], 'name', {
      value: name,
    }) as RewardFunction;
  return new GRPOTrainer({
    model,
    processingClass: numbers,
    rewardFuncs: [reward('first'), reward('second')],
    trainDataset: rows(generations),
    evalDataset: evaluation && rows([evaluation]),
    args,
    ...more,
  });
}
