export type { RewardContext, RewardFunction, RewardInput, Sample, SampleParent } from './sample';
export {
  RewardError,
  scoreSamples,
  type RewardTable,
  type SampleFailure,
  type ScoreOptions,
  type WeightedReward,
} from './scoring';
export { RewardRegistry, type RewardChange, type RewardOptions } from './registry';
export {
  Comparison,
  Rescore,
  type ComparedSample,
  type RescoredSample,
  type RescoreSummary,
} from './comparison/comparison';
export { clip, closeTo, novelty, onlyIf, ramp, weight, type Combinable, type RampOptions } from './combinators';
export { diagnoseSignal } from './diagnosis';
export {
  episodeReturn,
  functionWorks,
  legalActions,
  noCheating,
  normalizedReturn,
  quick,
  strategySucceeds,
  survives,
  winLoss,
  type NormalizedReturnOptions,
  type ScoredEpisode,
  type StrategySucceedsOptions,
  type WinLossOptions,
} from './library';
