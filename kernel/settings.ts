/*
 * Every table of settings, by the name of the type of its settings, and these
 * types: for docs/reference/settings.md, and for hints on cells.
 */
import { benchmarkDeclaration } from './benchmark/settings';
import { chatModelDeclaration } from './chat/chatModel';
import { serveModelDeclaration } from './chat/serving/settings';
import type { Declaration } from './common/settings';
import { grpoDeclaration } from './grpo/config';
import { refinementDeclaration } from './grpo/refinement/settings';
import { loadingDeclaration, peftDeclaration } from './models/fastLanguageModel';
import { generateDeclaration } from './models/generation/generateOptions';
import { onnxDeclaration } from './models/checkpoint/onnxExport';
import { ggufDeclaration } from './models/gguf/save';
import { ggufToFolderDeclaration } from './models/gguf/toFolder';
import { saveDeclaration } from './models/checkpoint/save';
import { pushDeclaration } from './models/hub/push';
import { streamerDeclaration } from './models/generation/streamer';
import { decodeDeclaration, encodeDeclaration } from './models/tokenizer/tokenizer';
import { rewardDeclaration } from './rewards/registry';
import { executeDeclaration, referenceDeclaration, replayDeclaration, rolloutDeclaration } from './rollout/settings';
import { sftDeclaration } from './sft/config';
import { countingDeclaration } from './strategy/operations/settings';
import { lockedDownDeclaration } from './strategy/settings';

export type { BenchmarkOptions } from './benchmark/settings';
export type { ChatModelOptions } from './chat/chatModel';
export type { ServeModelOptions } from './chat/serving/settings';
export type { GRPOConfig } from './grpo/config';
export type { RefinementConfig } from './grpo/refinement/settings';
export type { FromPretrainedOptions, PeftOptions } from './models/fastLanguageModel';
export type { GenerateOptions } from './models/generation/generateOptions';
export type { OnnxOptions } from './models/checkpoint/onnxExport';
export type { GgufOptions } from './models/gguf/save';
export type { GgufToFolderOptions } from './models/gguf/toFolder';
export type { SaveOptions } from './models/checkpoint/save';
export type { PushOptions } from './models/hub/push';
export type { TextStreamerOptions } from './models/generation/streamer';
export type { DecodeOptions, EncodeOptions } from './models/tokenizer/tokenizer';
export type { RewardOptions } from './rewards/registry';
export type { ExecuteOptions, ReferenceOptions, ReplayOptions, RolloutOptions } from './rollout/settings';
export type { SFTConfig } from './sft/config';
export type { CountOptions } from './strategy/operations/settings';
export type { LockedDownOptions } from './strategy/settings';

export const declarations: Readonly<Record<string, Declaration>> = {
  GRPOConfig: grpoDeclaration,
  RefinementConfig: refinementDeclaration,
  SFTConfig: sftDeclaration,
  FromPretrainedOptions: loadingDeclaration,
  PeftOptions: peftDeclaration,
  GenerateOptions: generateDeclaration,
  RolloutOptions: rolloutDeclaration,
  ExecuteOptions: executeDeclaration,
  ReplayOptions: replayDeclaration,
  ReferenceOptions: referenceDeclaration,
  LockedDownOptions: lockedDownDeclaration,
  CountOptions: countingDeclaration,
  RewardOptions: rewardDeclaration,
  SaveOptions: saveDeclaration,
  PushOptions: pushDeclaration,
  GgufOptions: ggufDeclaration,
  GgufToFolderOptions: ggufToFolderDeclaration,
  OnnxOptions: onnxDeclaration,
  TextStreamerOptions: streamerDeclaration,
  EncodeOptions: encodeDeclaration,
  DecodeOptions: decodeDeclaration,
  BenchmarkOptions: benchmarkDeclaration,
  ChatModelOptions: chatModelDeclaration,
  ServeModelOptions: serveModelDeclaration,
};
