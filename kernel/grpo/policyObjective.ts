import { detach, less, mul, select } from '../onnx/operators/arithmetic';
import type { Objective } from '../training/objective';
import { policyLoss } from './losses';
import type { UpdateSettings } from './updateSettings';

/**
 * GRPO's loss as an objective. Its outputs: `kl`, where beta is not 0.
 *
 * Inputs, all per token:
 * - `advantages`
 * - `weights`: the token's share in the loss, 0 where it is masked
 * - `old_logprobs`: of the policy that sampled; `on_policy`: 1 where that is the policy itself, and its own log-probabilities are the old ones, exactly
 * - `reference_logprobs`, where beta is not 0
 * - `completion_shares`, where ratios are of whole completions: the token's share in its completion's mean
 */
export function policyObjective(settings: UpdateSettings): Objective {
  const withReference = settings.beta !== 0;
  const perSequence = settings.importanceSamplingLevel === 'sequence';
  return {
    inputs: [
      'advantages',
      'weights',
      'old_logprobs',
      'on_policy',
      ...(withReference ? ['reference_logprobs'] : []),
      ...(perSequence ? ['completion_shares'] : []),
    ],
    build({ graph, logprobs, input, sumOverCompletion }) {
      const onPolicy = less(graph.scalar(0.5), input('on_policy'));
      const { loss, kl } = policyLoss(graph, settings, {
        logprobs,
        oldLogprobs: select(onPolicy, detach(logprobs), input('old_logprobs')),
        referenceLogprobs: withReference ? input('reference_logprobs') : null,
        advantages: input('advantages'),
        weights: input('weights'),
        completionMean: perSequence ? (values) => sumOverCompletion(mul(values, input('completion_shares'))) : null,
      });
      return kl ? { loss, outputs: { kl } } : { loss };
    },
  };
}
