/**
 * Joylab's public API: what `import … from 'joylab'` gives in a cell, and what
 * a cell with a directive has without an import. The rest is in
 * `joylab/internal`.
 */
export { clearOutput, display, html, image, md, openComm, registerCommTarget, svg } from './display';
export type { Comm, MimeBundle } from './display';

export { openenv, strategyPrompt } from './environments';
export * from './environments/openedEnvironments';
export type {
  AtariEnvironment,
  AtariGame,
  AtariOptions,
  EnvironmentClient,
  Game2048Environment,
  OfficialAtariEnvironment,
  ReferenceReturns,
  RemoteEnvironment,
  RolloutEnvironment,
} from './environments';

export { Environment, OpenEnvClient, OpenEnvError, serve } from './openenv';
export type { EnvironmentServer, ResetOptions } from './openenv';

export { checkEnv } from './check';
export type { CheckOptions, EnvironmentReport } from './check';

export { Episode, executeWithTimeLimit, referenceReturns, replay, rollout } from './rollout';
export type { ExecuteOptions, RolloutOptions, RolloutResult, Strategy } from './rollout';

export { checkCode, countOperations, createLockedDownFunction, extractFunction, StrategyError } from './strategy';
export type { CountedCall, CountOptions } from './strategy';

export {
  clip,
  closeTo,
  episodeReturn,
  functionWorks,
  legalActions,
  noCheating,
  normalizedReturn,
  novelty,
  onlyIf,
  quick,
  ramp,
  RewardError,
  scoreSamples,
  strategySucceeds,
  survives,
  weight,
  winLoss,
} from './rewards';
export type { RewardFunction, RewardInput, RewardOptions, Sample } from './rewards';

export { CausalLM, FastLanguageModel, ggufToFolder, PeftModel, TextStreamer } from './models';
export type { ChatMessage, FromPretrainedOptions, GenerateOptions, PeftOptions, Tokenizer } from './models';

export { benchmark, leaderboard } from './benchmark';
export type { BenchmarkOptions, BenchmarkPolicy, BenchmarkResult } from './benchmark';

export { chatModel, serveModel } from './chat';
export type { ChatModelOptions, ServeModelOptions } from './chat';

export {
  compareExperiment,
  exportRollouts,
  GRPOTrainer,
  report,
  rewardRegistry,
  saveExperiment,
  searchPrograms,
  Session,
} from './grpo';
export type { GRPOConfig, Program, ProgramEditor, Programs, RefinementConfig, TrainRow } from './grpo';

export { SFTTrainer } from './sft';
export type { SFTConfig, SFTRow } from './sft';

export { CheckpointError } from './training';
export type { TrainerCallback, TrainerState } from './training';
