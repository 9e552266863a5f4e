import type { Graph } from '../../onnx/graph';
import {
  add,
  detach,
  less,
  lessOrEqual,
  minimum,
  mul,
  neg,
  scale,
  select,
  sub,
  toFloat,
} from '../../onnx/operators/arithmetic';
import { clip, exp, sigmoid } from '../../onnx/operators/elementwise';
import type { Value } from '../../onnx/value';
import type { LossSettings, LossType } from '../updateSettings';

/** Values that the loss is computed from, of shape [M]: one per completion token of the micro-batch. Log-probabilities are in nats. */
export interface LossInputs {
  /** Of the policy being trained. */
  logprobs: Value;
  /** Of the policy that sampled. */
  oldLogprobs: Value;
  /** Of the reference model; null when beta is 0. */
  referenceLogprobs: Value | null;
  advantages: Value;
  /** Returns for each token the sum, or the mean, of values over the tokens of its completion that count. */
  completionSum(values: Value): Value;
  completionMean(values: Value): Value;
  /** 1 for the tokens that the policy's loss is restricted to (those of high entropy), else 0; null: all. */
  chosen: Value | null;
}

/** Returns the loss per token, and outputs per token for metrics: `kl` when beta is not 0, `phi` for vespo. All of shape [M]. */
export function policyLoss(
  graph: Graph,
  settings: LossSettings,
  inputs: LossInputs,
): { perToken: Value; outputs: Record<string, Value> } {
  const { logprobs, oldLogprobs, referenceLogprobs, completionMean, chosen } = inputs;
  const outputs: Record<string, Value> = {};
  const logRatio = sub(logprobs, oldLogprobs);
  const ratio = exp(settings.importanceSamplingLevel === 'sequence' ? completionMean(logRatio) : logRatio);
  let perToken = neg(objective(graph, settings, inputs, { logRatio, ratio }, outputs));
  if (settings.offPolicyMaskThreshold !== null)
    perToken = mul(perToken, onPolicyMask(graph, settings.offPolicyMaskThreshold, inputs));
  if (chosen) perToken = mul(perToken, chosen);
  if (referenceLogprobs) {
    const gap = sub(referenceLogprobs, logprobs);
    const divergence = sub(sub(exp(gap), gap), graph.scalar(1));
    outputs.kl = settings.useBiasCorrectionKl ? mul(divergence, ratio) : divergence;
    perToken = add(perToken, scale(outputs.kl, settings.beta));
  }
  return { perToken, outputs };
}

/** Of new to old policy: the logarithm of the ratio of each token, and the ratio that is clipped. */
interface Ratios {
  logRatio: Value;
  ratio: Value;
}

/** Returns the objective that is maximised, per token. */
function objective(
  graph: Graph,
  settings: LossSettings,
  inputs: LossInputs,
  { logRatio, ratio }: Ratios,
  outputs: Record<string, Value>,
): Value {
  const { advantages, logprobs } = inputs;
  switch (settings.lossType) {
    case 'cispo':
      return mul(mul(detach(minimum(ratio, graph.scalar(settings.epsilonHigh))), advantages), logprobs);
    case 'sapo': {
      const positive = less(graph.scalar(0), advantages);
      const bySign = (value: (temperature: number) => number) =>
        select(
          positive,
          graph.scalar(value(settings.sapoTemperaturePos)),
          graph.scalar(value(settings.sapoTemperatureNeg)),
        );
      const soft = sigmoid(
        mul(
          bySign((t) => t),
          sub(ratio, graph.scalar(1)),
        ),
      );
      return mul(
        mul(
          soft,
          bySign((t) => 4 / t),
        ),
        advantages,
      );
    }
    case 'vespo':
      outputs.phi = gammaWeights(graph, settings, advantages, inputs.completionSum(clip(detach(logRatio), -20, 20)));
      return mul(mul(outputs.phi, advantages), logprobs);
    default: {
      const limited = settings.delta === null ? ratio : minimum(ratio, graph.scalar(settings.delta));
      const clipped = clip(ratio, 1 - settings.epsilon, 1 + settings.epsilonHigh);
      return minimum(mul(limited, advantages), mul(clipped, advantages));
    }
  }
}

/**
 * Returns vespo's weight of a completion: φ(w) = e^λ · w^k · e^(−λw), where w is
 * its probability ratio; computed from log w.
 */
function gammaWeights(graph: Graph, settings: LossSettings, advantages: Value, logRatio: Value): Value {
  const negative = less(advantages, graph.scalar(0));
  const k = select(negative, graph.scalar(settings.vespoKNeg), graph.scalar(settings.vespoKPos));
  const lambda = select(
    negative,
    graph.scalar(Math.max(settings.vespoLambdaNeg, 1e-4)),
    graph.scalar(Math.max(settings.vespoLambdaPos, 1e-4)),
  );
  const logWeight = clip(logRatio, Math.log(1e-8), 20);
  const logPhi = sub(add(lambda, mul(k, logWeight)), mul(lambda, exp(logWeight)));
  // A weight too large for a float32 counts as 0, as in TRL.
  return detach(select(less(graph.scalar(88.7), logPhi), graph.scalar(0), exp(logPhi)));
}

/** Returns 0 for completions of negative advantage that have become too unlikely since they were sampled, else 1. */
function onPolicyMask(
  graph: Graph,
  threshold: number,
  { logprobs, oldLogprobs, advantages, completionMean }: LossInputs,
): Value {
  const drift = completionMean(sub(oldLogprobs, detach(logprobs)));
  const near = toFloat(lessOrEqual(drift, graph.scalar(threshold)));
  return select(less(advantages, graph.scalar(0)), near, graph.scalar(1));
}

/** What the loss of a micro-batch is divided by, beside its own tokens. */
export interface LossScale {
  /** Micro-batches of the step. */
  accumulation: number;
  /** Mean number of tokens that count, over the micro-batches that were generated together. */
  tokensPerMicroBatch: number;
  maxCompletionLength: number;
}

/**
 * Returns the weight of each token of a micro-batch in the step's loss, so that
 * the loss is the sum of token losses times their weights; as TRL normalises.
 *
 * @param masks for each completion 1 for the tokens that count, else 0
 * @returns for each completion the weights of its tokens
 */
export function tokenWeights(
  lossType: LossType,
  masks: readonly ArrayLike<number>[],
  scale: LossScale,
): Float32Array[] {
  const { accumulation, tokensPerMicroBatch, maxCompletionLength } = scale;
  const counted = masks.map(countTokens);
  const total = counted.reduce((sum, count) => sum + count, 0);
  const divisor = (i: number) => {
    switch (lossType) {
      case 'grpo':
      case 'sapo':
        return Math.max(counted[i], 1) * masks.length * accumulation;
      case 'luspo':
        return masks.length * accumulation;
      case 'bnpo':
        return Math.max(total, 1) * accumulation;
      case 'dr_grpo':
        return masks.length * maxCompletionLength * accumulation;
      default:
        return Math.max(tokensPerMicroBatch, 1) * accumulation;
    }
  };
  return masks.map((mask, i) => Float32Array.from(mask, (value) => value / divisor(i)));
}

/** Returns the number of tokens that count. */
export function countTokens(mask: ArrayLike<number>): number {
  let count = 0;
  for (let t = 0; t < mask.length; t++) count += mask[t];
  return count;
}

/** Returns a warning about a loss with this level of importance sampling, as TRL gives it; `null`: there is none. */
export function adviceOnLoss({
  lossType,
  importanceSamplingLevel: level,
}: Pick<LossSettings, 'lossType' | 'importanceSamplingLevel'>): string | null {
  if (lossType === 'luspo' && level !== 'sequence')
    return "GRPOConfig: the 'luspo' loss is meant for importanceSamplingLevel: 'sequence', as in its paper.";
  if (lossType === 'vespo' && level !== 'token') {
    return "GRPOConfig: the 'vespo' loss weights whole sequences by itself; it is meant for importanceSamplingLevel: 'token', the default.";
  }
  if (level === 'sequence' && ['bnpo', 'dr_grpo', 'dapo', 'cispo'].includes(lossType)) {
    return (
      `GRPOConfig: with importanceSamplingLevel: 'sequence' the '${lossType}' loss sums over tokens, so that long completions count more. ` +
      "The setup of the GSPO paper is lossType: 'grpo'."
    );
  }
  return null;
}
