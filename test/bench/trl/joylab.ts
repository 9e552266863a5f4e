import * as joylab from '../../../kernel';
import { isInWorker, type ModelInWorker } from '../../../kernel/engines/trl/model';
import { accelerateConfig, type Measured, type Setup } from './setup';

/** Joylab with games of Breakout as the reward, or without an environment. Its next step waits for `afterStep`. */
export async function ours(
  setup: Setup,
  env?: joylab.AtariEnvironment,
  afterStep?: () => Promise<void>,
): Promise<Measured> {
  const model = await load(setup);
  console.log(String(model));
  let episodes = 0;
  const trainer = new joylab.GRPOTrainer({
    model,
    processingClass: model.tokenizer,
    ...(env ? { env } : { trainDataset: [{ prompt: setup.prompt }] }),
    rewardFuncs: [
      function score({ episode, completion }) {
        return env ? (episode ? episode.return : -1) : completion.length % 7;
      },
    ],
    args: {
      maxSteps: setup.steps,
      numGenerations: setup.generations,
      maxCompletionLength: setup.tokens,
      gradientCheckpointing: setup.gradientCheckpointing,
      learningRate: 5e-5,
      measureReference: false,
    },
    onStep: async ({ step, samples }) => {
      episodes += samples.filter(({ episode }) => episode).length;
      // Memory is that of steps, not of loading.
      if (step === 1) await model.held.memory(true);
      await afterStep?.();
    },
  });
  await trainer.train();
  const seconds = trainer.logHistory.flatMap(({ step_time }) => step_time ?? []);
  const { peaks } = await model.held.memory();
  await trainer.dispose();
  await model.dispose();
  if (env) console.log(`${episodes} episodes of Breakout played in ${setup.steps} steps`);
  return { seconds, peaks };
}

async function load({ folder, backend, loadIn4bit, attention, launch }: Setup): Promise<ModelInWorker> {
  const { processes, isSharded } = launch;
  const { model } = await joylab.FastLanguageModel.fromPretrained({
    modelName: folder,
    backend: backend ?? 'trl',
    // A named back end is given a folder with weights, and chooses how attention is computed.
    ...(!backend && { initWeights: 'random', attnImplementation: attention }),
    maxSeqLength: 131_072,
    loadIn4bit,
    ...(processes > 1 && {
      launch: isSharded ? { configFile: accelerateConfig(folder, launch) } : { numProcesses: processes },
    }),
  });
  const peft = joylab.FastLanguageModel.getPeftModel(model, {
    r: 4,
    loraAlpha: 8,
    targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj'],
  });
  if (!isInWorker(peft)) throw new Error('the model is not in a worker');
  return peft;
}
