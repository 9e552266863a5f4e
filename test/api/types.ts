/*
 * Checks the types of the public names as notebooks see them: this file is
 * compiled, and never run.
 */
import {
  createLockedDownFunction,
  executeWithTimeLimit,
  FastLanguageModel,
  GRPOTrainer,
  normalizedReturn,
  openenv,
  rewardRegistry,
  rollout,
  searchPrograms,
  SFTTrainer,
  type AtariEnvironment,
  type Episode,
  type GenerateOptions,
  type GRPOConfig,
  type PeftModel,
  type PeftOptions,
  type Programs,
  type RefinementConfig,
  type RolloutResult,
  type Sample,
  type SFTConfig,
  type Tokenizer,
} from '../../kernel';

/** Compiles only where `value` has exactly the type `Type`: no wider one, and not `any`. */
function expectType<Type>() {
  return <Value>(_: Value, ..._same: Equal<Type, Value> extends true ? [] : ['not this type']): void => {};
}
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export async function environments(): Promise<void> {
  const env = await openenv('atari', { game: 'breakout' });
  const some: AtariEnvironment<any, any> = env;
  expectType<number | null>()((await env.step('LEFT')).reward);
  // @ts-expect-error There is no such game.
  await openenv('atari', { game: 'breakoutt' });
  expectType<Episode>()(
    await executeWithTimeLimit((state: any) => state.ball_x, some, { strategyTimeLimit: 1, seed: 3 }),
  );
  expectType<RolloutResult>()(await rollout(env, ['', null], { seeds: [1, 2], callTimeLimit: 0.2, maxSteps: 9 }));
  // @ts-expect-error Seeds have no default.
  await rollout(env, [''], { maxSteps: 9 });
  // @ts-expect-error It is now strategyTimeLimit.
  await rollout(env, [''], { seeds: [1], seconds: 2 });
  (await createLockedDownFunction('function strategy() {}', { memoryLimit: 2 ** 22 })).dispose();
}

export function rewards(): void {
  const long = ({ episode }: Sample) => (episode ? episode.steps / 500 : 0);
  rewardRegistry.register('long', long, { weight: 2, timeLimit: 60 });
  rewardRegistry.register('scaled', async (sample) => normalizedReturn(sample));
  // @ts-expect-error A reward is a number, or null where the function does not apply.
  rewardRegistry.register('text', () => 'much');
  // @ts-expect-error It is now timeLimit.
  rewardRegistry.register('slow', long, { seconds: 60 });
}

export const grpo: GRPOConfig = { maxSteps: 60, numGenerations: 32, lossType: 'dr_grpo', minP: null, refinement: true };
export const sft: SFTConfig = { numTrainEpochs: 1, maxLength: null, packingStrategy: 'bfd_split' };
export const adapter: PeftOptions = { r: 4, targetModules: ['q_proj'], initLoraWeights: 'gaussian' };
export const refinement: RefinementConfig = { objective: 'max@k', maxEpisodes: null };
// @ts-expect-error The losses are named.
export const wrongLoss: GRPOConfig = { lossType: 'ppo' };
// @ts-expect-error Only settings that say so may be null.
export const wrongNull: GRPOConfig = { learningRate: null };
// @ts-expect-error It is now strategyTimeLimit.
export const oldName: GRPOConfig = { strategySeconds: 2 };
expectType<number | undefined>()(grpo.learningRate);
expectType<'nll' | 'dft' | undefined>()(sft.lossType);
expectType<boolean | 'gaussian' | undefined>()(adapter.initLoraWeights);
expectType<number | number[] | undefined>()(({} as GenerateOptions).seed);

export async function models(): Promise<void> {
  const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' });
  expectType<Tokenizer>()(tokenizer);
  expectType<PeftModel>()(FastLanguageModel.getPeftModel(model, adapter));
  expectType<number[][]>()((await model.generate({ ...tokenizer('a'), maxNewTokens: 3 })).sequences);
  // @ts-expect-error A model has a name.
  await FastLanguageModel.fromPretrained({ maxSeqLength: 512 });
  const env = await openenv('atari', { game: 'pong' });
  await new GRPOTrainer({ model, processingClass: tokenizer, env, args: grpo, rewardFuncs: [() => null] }).train();
  await new SFTTrainer({ model, processingClass: tokenizer, args: sft, trainDataset: [{ text: 'a' }] }).train();
  const programs = await searchPrograms({ env, editor: async (parent) => parent?.code ?? null, rewardFuncs: [] });
  expectType<Programs>()(programs);
}
