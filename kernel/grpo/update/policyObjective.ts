import { detach, less, mul, select, sub, sumAll } from '../../onnx/operators/arithmetic';
import type { Objective } from '../../training/update/objective';
import { policyLoss } from './losses';
import type { UpdateSettings } from '../updateSettings';

/**
 * Returns GRPO's loss as an objective. Its outputs are those of {@link policyLoss}.
 *
 * Inputs, all of shape [M], one value per completion token:
 * - `advantages`
 * - `weights`: the token's weight in the loss, 0 when it is masked
 * - `old_logprobs`: of the policy that sampled; `on_policy`: 1 when that is the policy itself, whose own log-probabilities are then the old ones, exactly
 * - `reference_logprobs`, when beta is not 0
 * - `mask` and `completion_shares`, when the loss depends on whole completions: whether the token counts, and its share in its completion's mean
 * - `chosen`, when topEntropyQuantile is below 1: whether the token is one of high entropy
 * - `entropy_weights`, when there is an entropy bonus: the token's weight in it, times its coefficient
 */
export function policyObjective(settings: UpdateSettings): Objective {
  const withReference = settings.beta !== 0;
  const withCompletions =
    settings.importanceSamplingLevel === 'sequence' ||
    settings.lossType === 'vespo' ||
    settings.offPolicyMaskThreshold !== null;
  const withChosen = settings.topEntropyQuantile < 1;
  const withBonus = settings.entropyCoef !== 0 || settings.useAdaptiveEntropy;
  return {
    inputs: [
      'advantages',
      'weights',
      'old_logprobs',
      'on_policy',
      ...(withReference ? ['reference_logprobs'] : []),
      ...(withCompletions ? ['mask', 'completion_shares'] : []),
      ...(withChosen ? ['chosen'] : []),
      ...(withBonus ? ['entropy_weights'] : []),
    ],
    entropyGradients: withBonus,
    build({ graph, logprobs, entropies, input, sumOverCompletion }) {
      const onPolicy = less(graph.scalar(0.5), input('on_policy'));
      const { perToken, outputs } = policyLoss(graph, settings, {
        logprobs,
        oldLogprobs: select(onPolicy, detach(logprobs), input('old_logprobs')),
        referenceLogprobs: withReference ? input('reference_logprobs') : null,
        advantages: input('advantages'),
        completionSum: (values) => sumOverCompletion(mul(values, input('mask'))),
        completionMean: (values) => sumOverCompletion(mul(values, input('completion_shares'))),
        chosen: withChosen ? input('chosen') : null,
      });
      const losses = mul(perToken, input('weights'));
      if (!withBonus) return { loss: sumAll(losses), outputs };
      const bonus = mul(entropies, input('entropy_weights'));
      return { loss: sumAll(sub(losses, bonus)), outputs: { ...outputs, policy_loss: losses } };
    },
  };
}
