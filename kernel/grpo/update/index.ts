export type { EntropyState } from './entropyControl';
export type { UpdateMetrics } from './policyMetrics';
export { PolicyUpdate } from './policyUpdate';
export type { Imitations, PolicyBatch } from './preparedStep';
export type { UpdateSettings } from '../updateSettings';
