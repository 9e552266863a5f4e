export { Episode, type EpisodeEnd, type EpisodeRecord } from './episode';
export type { RolloutEnvironment } from './environments';
export { executeWithTimeLimit, type ExecuteOptions, type Strategy } from './execute';
export type { EpisodeFrames } from './frames';
export { referenceReturns, type ReferenceOptions } from './reference';
export { replay, type ReplayOptions } from './replay';
export { rollout, type RolloutOptions, type RolloutResult } from './rollout';
export type { PlayLimits } from './settings';
