import type { ResolvedConfig } from '../config';
import { entropySettings, lossSettings, referenceSettings } from '../updateSettings';
import { workerSettings } from '../workerSettings';

/** Settings that TRL has by the same names, and whose part it has: updates, and how completions are sampled. */
const SHARED = [
  ...Object.keys(lossSettings),
  ...Object.keys(entropySettings),
  ...Object.keys(referenceSettings),
  'adamBeta1',
  'adamBeta2',
  'adamEpsilon',
  'weightDecay',
  'maxGradNorm',
  'seed',
  'perDeviceTrainBatchSize',
  'perDeviceEvalBatchSize',
  'gradientAccumulationSteps',
  'stepsPerGeneration',
  'learningRate',
  'lrSchedulerType',
  'numGenerations',
  'numGenerationsEval',
  'numIterations',
  'maxCompletionLength',
  'temperature',
  'topP',
  'topK',
  'minP',
  'repetitionPenalty',
  'maskTruncatedCompletions',
  'scaleRewards',
] as const;

/** What a run has beside its settings. */
export interface RunSettings {
  totalSteps: number;
  outputDir: string;
  /** `null`: as the back end thinks best. */
  gradientCheckpointing: boolean | null;
}

/** Returns the settings of a run as TRL's `GRPOConfig` takes them. What is left out is the kernel's: prompts, rewards, advantages, log, checkpoints. */
export function trlArguments(
  config: ResolvedConfig,
  { totalSteps, outputDir, gradientCheckpointing }: RunSettings,
): Record<string, unknown> {
  // All are given, as Unsloth has other defaults.
  const own = [...SHARED, ...Object.keys(workerSettings)].flatMap((name): Array<[string, unknown]> => {
    const value = config[name as keyof ResolvedConfig];
    return value === undefined ? [] : [[snakeCase(name), value]];
  });
  return {
    ...Object.fromEntries(own),
    output_dir: outputDir,
    max_steps: totalSteps,
    warmup_steps: config.warmupSteps || config.warmupRatio,
    ...(gradientCheckpointing !== null && { gradient_checkpointing: gradientCheckpointing }),
    ...(config.lrSchedulerKwargs && { lr_scheduler_kwargs: snakeNames(config.lrSchedulerKwargs) }),
    ...(config.generationKwargs && { generation_kwargs: snakeNames(config.generationKwargs) }),
  };
}

function snakeNames(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [snakeCase(name), value]));
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Settings of {@link trlArguments} that have their defaults: an older TRL that does not know one does what it says. */
export function atDefault(config: ResolvedConfig): string[] {
  const tables = { ...lossSettings, ...entropySettings, ...referenceSettings };
  const names = Object.keys(tables) as Array<keyof typeof tables>;
  return names.filter((name) => config[name] === tables[name].fallback).map(snakeCase);
}
