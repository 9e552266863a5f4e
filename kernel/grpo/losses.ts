import type { Graph } from '../onnx/graph';
import { add, detach, less, minimum, mul, neg, scale, select, sub, sumAll } from '../onnx/operators/arithmetic';
import { clip, exp, sigmoid } from '../onnx/operators/elementwise';
import type { Value } from '../onnx/value';

/** How token losses are formed and averaged, by TRL's names. */
export const LOSS_TYPES = ['grpo', 'dr_grpo', 'dapo', 'bnpo', 'cispo', 'sapo'] as const;

export type LossType = (typeof LOSS_TYPES)[number];

/** Settings of the loss, by TRL's names and with its meaning. */
export interface LossSettings {
  lossType: LossType;
  /** Weight of the KL divergence from the reference model; 0: none. */
  beta: number;
  /** Clip range of the probability ratio: [1 − epsilon, 1 + epsilonHigh]; for cispo the ratio's limit is epsilonHigh itself. */
  epsilon: number;
  epsilonHigh: number;
  /** Upper limit of the unclipped ratio (two-sided clipping), or null. */
  delta: number | null;
  importanceSamplingLevel: 'token' | 'sequence';
  /** Whether the KL term is multiplied by the probability ratio, which makes its gradient that of the reverse KL divergence. */
  useBiasCorrectionKl: boolean;
  /** Temperatures of sapo for tokens of positive and negative advantage. */
  sapoTemperaturePos: number;
  sapoTemperatureNeg: number;
}

/** Values per token, [M], that the loss is computed from. */
export interface LossInputs {
  /** Of the policy being trained. */
  logprobs: Value;
  /** Of the policy that sampled. */
  oldLogprobs: Value;
  /** Of the reference model; needed where beta is not 0. */
  referenceLogprobs: Value | null;
  advantages: Value;
  /** Share of each token in the loss, see {@link tokenWeights}; 0 where it is masked. */
  weights: Value;
  /** For sequence-level importance sampling: for each token the mean over its completion. */
  completionMean: ((values: Value) => Value) | null;
}

/** The loss, a scalar, and the KL divergence per token (null where beta is 0). */
export function policyLoss(graph: Graph, settings: LossSettings, inputs: LossInputs): { loss: Value; kl: Value | null } {
  const { logprobs, referenceLogprobs, weights } = inputs;
  const ratio = exp(logRatio(inputs));
  let perToken = neg(objective(graph, settings, inputs, ratio));
  let kl: Value | null = null;
  if (referenceLogprobs) {
    const gap = sub(referenceLogprobs, logprobs);
    kl = sub(sub(exp(gap), gap), graph.scalar(1));
    if (settings.useBiasCorrectionKl) kl = mul(kl, ratio);
    perToken = add(perToken, scale(kl, settings.beta));
  }
  return { loss: sumAll(mul(perToken, weights)), kl };
}

/** What is maximised, per token. */
function objective(graph: Graph, settings: LossSettings, { advantages, logprobs }: LossInputs, ratio: Value): Value {
  switch (settings.lossType) {
    case 'cispo':
      return mul(mul(detach(minimum(ratio, graph.scalar(settings.epsilonHigh))), advantages), logprobs);
    case 'sapo': {
      const positive = less(graph.scalar(0), advantages);
      const temperature = select(positive, graph.scalar(settings.sapoTemperaturePos), graph.scalar(settings.sapoTemperatureNeg));
      const soft = sigmoid(mul(temperature, sub(ratio, graph.scalar(1))));
      const gain = select(positive, graph.scalar(4 / settings.sapoTemperaturePos), graph.scalar(4 / settings.sapoTemperatureNeg));
      return mul(mul(soft, gain), advantages);
    }
    default: {
      const limited = settings.delta === null ? ratio : minimum(ratio, graph.scalar(settings.delta));
      const clipped = clip(ratio, 1 - settings.epsilon, 1 + settings.epsilonHigh);
      return minimum(mul(limited, advantages), mul(clipped, advantages));
    }
  }
}

/** Logarithm of the probability ratio of new to old policy, of each token or averaged over its completion. */
function logRatio({ logprobs, oldLogprobs, completionMean }: LossInputs): Value {
  const perToken = sub(logprobs, oldLogprobs);
  return completionMean ? completionMean(perToken) : perToken;
}

/**
 * The share of each token in the loss, completion after completion, so that
 * the loss is the sum of token losses times their shares.
 *
 * `masks[i]` holds 1 for the tokens of completion i that count.
 */
export function tokenWeights(lossType: LossType, masks: readonly ArrayLike<number>[], maxCompletionLength: number): Float32Array[] {
  const counted = masks.map((mask) => Array.from(mask).reduce((sum, value) => sum + value, 0));
  const total = counted.reduce((sum, count) => sum + count, 0);
  const share = (i: number) => {
    switch (lossType) {
      case 'grpo':
      case 'sapo':
        return 1 / (Math.max(counted[i], 1) * masks.length);
      case 'dr_grpo':
        return 1 / (masks.length * maxCompletionLength);
      default:
        return 1 / Math.max(total, 1);
    }
  };
  return masks.map((mask, i) => Float32Array.from(mask, (value) => value * share(i)));
}

