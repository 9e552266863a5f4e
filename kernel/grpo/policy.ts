import type { CausalLM } from '../models/causalLM';
import type { Rollouts } from './collect';
import type { ResolvedConfig } from './config';
import type { PolicyBatch, PolicyUpdate } from './update';

/** The update of `model` by the settings of a run. */
export function createUpdate(model: CausalLM, config: ResolvedConfig): Promise<PolicyUpdate> {
  const { PolicyUpdate } = require('./update') as typeof import('./update');
  const { epsilon, epsilonHigh, maxCompletionLength } = config;
  return PolicyUpdate.create(model, {
    lossType: config.lossType,
    beta: config.beta,
    epsilon,
    epsilonHigh: epsilonHigh ?? epsilon,
    delta: config.delta,
    importanceSamplingLevel: config.importanceSamplingLevel,
    sapoTemperaturePos: config.sapoTemperaturePos,
    sapoTemperatureNeg: config.sapoTemperatureNeg,
    adamBeta1: config.adamBeta1,
    adamBeta2: config.adamBeta2,
    adamEpsilon: config.adamEpsilon,
    weightDecay: config.weightDecay,
    maxGradNorm: config.maxGradNorm,
    temperature: config.temperature,
    maxCompletionLength: maxCompletionLength!,
  });
}

/** The rollouts of a step as the update takes them. */
export function policyBatch(rollouts: Rollouts, advantages: Float32Array, config: ResolvedConfig): PolicyBatch {
  const { promptIds, completionIds, promptOf, logprobs, terminated } = rollouts;
  const batch: PolicyBatch = { promptIds, completionIds, promptOf, advantages };
  // With one update per rollout the policy is still the one that sampled; later updates compare with it.
  if (config.numIterations > 1) batch.oldLogprobs = logprobs;
  if (config.maskTruncatedCompletions) {
    batch.mask = completionIds.map((ids, i) => new Uint8Array(ids.length).fill(terminated[i] ? 1 : 0));
  }
  return batch;
}
