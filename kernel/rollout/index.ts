export { Episode, type EpisodeEnd, type EpisodeRecord } from '../episodes/episode';
export type { RolloutEnvironment } from '../environments/environment';
export { executeWithTimeLimit, type Strategy } from './execute';
export type { EpisodeFrames } from '../episodes/frames';
export { referenceReturns, type ReferenceOptions } from './reference';
export { replay, type ReplayOptions } from './replay';
export { rollout, type RolloutResult } from './rollout';
export type { ExecuteOptions, PlayLimits, RolloutOptions } from './settings';
