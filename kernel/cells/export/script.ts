import { sshAddress } from '../../common/sshAddress';
import { resolveSettings } from '../../common/settings';
import type { NotebookDescription } from '../../grpo/exported/command';
import { peftDeclaration } from '../../models/fastLanguageModel';
import { pythonLiteral, snakeCased } from './python';

/** A script of TRL's, and what the notebook has that it has not. */
export interface TrlScript {
  /** By the places of `train.py`, Python's literals. */
  places: Record<string, string>;
  outputDir: string;
  notes: string[];
}

/** Settings that the process of the rewards reads from the program. */
const OF_REWARDS = ['maxEpisodeSteps', 'strategyTimeLimit', 'rewardTimeLimit', 'measureReference', 'rewardWeights'];
/** Settings with another form in the script. */
const ELSEWHERE = ['capUnplayed', 'targetKl', 'refinement', 'chatTemplateKwargs', 'warmupRatio', 'numGenerationsEval'];
/** Options of `fromPretrained` that the script has, or does without. */
const OF_MODEL = [
  'modelName',
  'revision',
  'loadIn4bit',
  'loadIn8bit',
  'useGradientCheckpointing',
  'dtype',
  'attnImplementation',
  'backend',
  'maxSeqLength',
  'token',
];

/**
 * The settings of a notebook as those of `train.py`.
 *
 * @param model where the script finds the model
 * @param secret from which the starts of the environment follow
 */
export function trlScript(description: NotebookDescription, model: string, secret: string): TrlScript {
  const { options, lora, config, rewards } = description;
  const peft = lora && resolveSettings(peftDeclaration, lora);
  const { bias, randomState = 0, useGradientCheckpointing, ...adapter } = peft ?? ({} as NonNullable<typeof peft>);
  const checkpointing = useGradientCheckpointing ?? options.useGradientCheckpointing;
  const settings = settingsOf(description, Boolean(checkpointing));
  // Settings of models that are held in Python.
  const { dtype, attnImplementation } = options as { dtype?: string; attnImplementation?: string };
  return {
    outputDir: String(settings.output_dir),
    places: {
      secret: pythonLiteral(secret),
      model,
      revision: pythonLiteral(options.revision),
      dtype: dtype ? `torch.${dtype}` : 'None',
      attention: pythonLiteral(attnImplementation),
      bits: pythonLiteral(options.loadIn4bit ? 4 : options.loadIn8bit ? 8 : null),
      lora: pythonLiteral(peft && { bias, ...snakeCased(adapter) }),
      seed: pythonLiteral(randomState),
      rewards: pythonLiteral(Object.fromEntries(rewards.map(({ name, weight }) => [name, weight]))),
      chat: pythonLiteral(config.chatTemplateKwargs ? snakeCased(config.chatTemplateKwargs) : null),
      settings: pythonLiteral(settings),
    },
    notes: notesOf(description),
  };
}

/** Settings of TRL's `GRPOConfig`: those that the notebook gives, and those whose defaults differ. */
function settingsOf({ config, resolved }: NotebookDescription, checkpointing: boolean): Record<string, unknown> {
  const given = Object.entries(config).filter(
    ([name, value]) =>
      value !== null && value !== undefined && ![...OF_REWARDS, ...ELSEWHERE].includes(name) && !/^eval/.test(name),
  );
  const settings: Record<string, unknown> = {
    output_dir: 'output',
    per_device_train_batch_size: resolved.perDeviceTrainBatchSize,
    gradient_checkpointing: checkpointing,
    logging_steps: 1,
    report_to: 'none',
    ...snakeCased(Object.fromEntries(given)),
  };
  // What the steps of a warm-up are, transformers takes as a share of all, too.
  if (config.warmupRatio && !config.warmupSteps) settings.warmup_steps = config.warmupRatio;
  if (config.chatTemplateKwargs) settings.chat_template_kwargs = snakeCased(config.chatTemplateKwargs);
  if (config.generationKwargs) settings.generation_kwargs = snakeCased(config.generationKwargs);
  return settings;
}

function notesOf({ options, config, environment }: NotebookDescription): string[] {
  const others = Object.keys(options).filter((name) => !OF_MODEL.includes(name));
  const { backend } = options as { backend?: string };
  const ssh = sshAddress(backend);
  return [
    'cells after training, and what others show, try or measure on the way',
    'frames, charts and the table of the notebook: TRL logs its own metrics, under the same names',
    ...(environment && config.capUnplayed !== false
      ? ['capUnplayed: with TRL a completion that did not play counts what its rewards say, and no less']
      : []),
    ...(config.targetKl ? ['targetKl: TRL makes each step as long as its optimizer does'] : []),
    ...(options.maxSeqLength ? ['maxSeqLength: TRL limits completions (max_completion_length), not sequences'] : []),
    ...(ssh ? [`backend '${backend}': the script runs where it is started`] : []),
    ...(backend === 'unsloth' || ssh?.backend === 'unsloth'
      ? ["backend 'unsloth': the script uses transformers and PEFT"]
      : []),
    ...(options.token ? ['the token: set HF_TOKEN'] : []),
    ...(config.evalStrategy && config.evalStrategy !== 'no' ? ['evaluations (evalStrategy)'] : []),
    ...others.map((name) => `${name} of fromPretrained`),
  ];
}
