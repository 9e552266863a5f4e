export { Episode, type EpisodeEnd, type EpisodeRecord } from '../episodes/episode';
export type { RolloutEnvironment } from '../environments/environment';
export { executeWithTimeLimit, type Strategy } from './execute';
export type { EpisodeFrames } from '../episodes/frames';
export { referenceReturns } from './reference';
export { replay } from './replay';
export { rollout, type RolloutResult } from './rollout';
export type { ExecuteOptions, PlayLimits, ReferenceOptions, ReplayOptions, RolloutOptions } from './settings';
