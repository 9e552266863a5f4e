import { detach, mul, neg, sumAll } from '../onnx/operators/arithmetic';
import { exp } from '../onnx/operators/elementwise';
import type { Objective } from '../training/update/objective';
import type { SFTConfig } from './config';

/**
 * The loss of supervised training: the weighted sum of negative
 * log-likelihoods. Input `weights`, per token: its share in the mean over all
 * learned tokens of the step, 0 where it is not learned.
 * Output `correct`: 1 where the model finds the token likeliest.
 */
export function supervisedObjective(lossType: NonNullable<SFTConfig['lossType']>): Objective {
  return {
    inputs: ['weights'],
    build({ logprobs, input, isTop1 }) {
      const losses = neg(mul(logprobs, input('weights')));
      return {
        loss: sumAll(lossType === 'dft' ? mul(losses, detach(exp(logprobs))) : losses),
        outputs: { correct: isTop1() },
      };
    },
  };
}
