export type { RewardContext, RewardFunction, RewardInput, Sample } from './sample';
export { RewardError, scoreSamples, type RewardTable, type WeightedReward } from './scoring';
export { RewardRegistry, rewardRegistry, type RewardChange } from './registry';
export { Rescore, type RescoredSample, type RescoreSummary } from './rescore';
export { diagnoseSignal } from './diagnosis';
export {
  episodeReturn,
  functionWorks,
  legalActions,
  noCheating,
  strategySucceeds,
  survives,
  winLoss,
  type StrategySucceedsOptions,
  type WinLossOptions,
} from './library';
