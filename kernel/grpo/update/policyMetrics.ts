import { mean } from '../../common/statistics';
import { countTokens } from './losses';
import type { LossSettings } from '../updateSettings';

/** Metrics of an update, by TRL's names and definitions. Those that a loss or a batch does not have are left out. */
export interface UpdateMetrics {
  loss: number;
  /** Norm of all gradients before clipping. */
  grad_norm: number;
  /** How far the step has moved the policy, in nats per token, and the share of the optimizer's step that was made; only with targetKl. */
  step_kl?: number;
  step_share?: number;
  /** Mean over the tokens that count, in nats. */
  entropy: number;
  /** Mean over the tokens that count, in nats; only when beta is not 0. */
  kl?: number;
  /** Fraction of tokens (of completions, with ratios of whole completions) whose ratio is clipped; not for cispo, sapo and vespo. */
  'clip_ratio/low_mean'?: number;
  'clip_ratio/low_min'?: number;
  'clip_ratio/high_mean'?: number;
  'clip_ratio/high_max'?: number;
  'clip_ratio/region_mean'?: number;
  /** The same for cispo. */
  cispo_clip_ratio?: number;
  /** Mean weight of vespo's completions. */
  'vespo/phi_seq_mean'?: number;
  /** The loss without the entropy bonus, and the weight of the bonus; only when there is one. */
  policy_loss?: number;
  entropy_coef?: number;
}

/** Outputs of an update for the completions of a micro-batch, with its inputs. */
export interface PolicyOutcome {
  /** Here and below: for each completion a value per token; of `phi`, all the same. */
  logprobs: readonly ArrayLike<number>[];
  entropies: readonly ArrayLike<number>[];
  kl: readonly ArrayLike<number>[] | null;
  phi: readonly ArrayLike<number>[] | null;
  advantages: ArrayLike<number>;
  masks: readonly ArrayLike<number>[];
  /** Log-probabilities of the policy that sampled; null: it is the same policy, so that every ratio is 1. */
  old: readonly ArrayLike<number>[] | null;
}

/** Returns the metrics of a micro-batch; loss and gradient norm are the step's. */
export function policyMetrics(settings: LossSettings, outcome: PolicyOutcome): Record<string, number> {
  const { masks, entropies, kl, phi } = outcome;
  return {
    entropy: maskedMean(entropies, masks),
    ...(kl && { kl: maskedMean(kl, masks) }),
    ...(phi && { 'vespo/phi_seq_mean': mean(phi.map((values) => values[0])) }),
    ...clipping(settings, outcome),
  };
}

/** Returns the mean over all tokens that count; 0 when none does. */
function maskedMean(values: readonly ArrayLike<number>[], masks: readonly ArrayLike<number>[]): number {
  let [sum, count] = [0, 0];
  masks.forEach((mask, i) => {
    for (let t = 0; t < mask.length; t++) {
      sum += mask[t] * values[i][t];
      count += mask[t];
    }
  });
  return sum / Math.max(count, 1);
}

function clipping(settings: LossSettings, outcome: PolicyOutcome): Record<string, number> {
  const { lossType } = settings;
  if (lossType === 'sapo' || lossType === 'vespo') return {};
  const clipped = outcome.masks.map((_, i) => clippedTokens(settings, outcome, i));
  const total = Math.max(sum(clipped.map(({ count }) => count)), 1);
  const [low, high] = [sum(clipped.map(({ low }) => low)) / total, sum(clipped.map(({ high }) => high)) / total];
  if (lossType === 'cispo') return { cispo_clip_ratio: high };
  // Completions without a token that counts have no share, as in TRL.
  const counted = clipped.filter(({ count }) => count > 0);
  return {
    'clip_ratio/low_mean': low,
    'clip_ratio/low_min': counted.length > 0 ? Math.min(...counted.map(({ low, count }) => low / count)) : NaN,
    'clip_ratio/high_mean': high,
    'clip_ratio/high_max': counted.length > 0 ? Math.max(...counted.map(({ high, count }) => high / count)) : NaN,
    'clip_ratio/region_mean': low + high,
  };
}

/** Returns how many tokens of completion i are clipped at either end, of how many; with ratios of whole completions, 0 or 1 of 1. */
function clippedTokens(
  settings: LossSettings,
  outcome: PolicyOutcome,
  i: number,
): { low: number; high: number; count: number } {
  const { epsilon, epsilonHigh, delta, importanceSamplingLevel, lossType } = settings;
  const upper = lossType === 'cispo' ? epsilonHigh : 1 + epsilonHigh;
  // TRL counts after the limit of two-sided clipping.
  const limit = delta === null || lossType === 'cispo' ? Infinity : delta;
  const mask = outcome.masks[i];
  const old = outcome.old?.[i];
  const logRatios = Array.from(mask, (_, t) => (old ? outcome.logprobs[i][t] - old[t] : 0));
  const perSequence = importanceSamplingLevel === 'sequence';
  const counted = perSequence ? [1] : Array.from(mask);
  const logs = perSequence
    ? [sum(logRatios.map((log, t) => log * mask[t])) / Math.max(countTokens(mask), 1)]
    : logRatios;
  let [low, high] = [0, 0];
  logs.forEach((log, t) => {
    const ratio = Math.min(Math.exp(log), limit);
    if (ratio < 1 - epsilon && outcome.advantages[i] < 0) low += counted[t];
    if (ratio > upper && outcome.advantages[i] > 0) high += counted[t];
  });
  return { low, high, count: sum(counted) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Returns the mean of each metric over the micro-batches that have it. */
export function meanMetrics(batches: ReadonlyArray<Record<string, number>>): Record<string, number> {
  const names = new Set(batches.flatMap((metrics) => Object.keys(metrics)));
  const present = (name: string) =>
    batches.flatMap((metrics) => (Number.isNaN(metrics[name] ?? NaN) ? [] : [metrics[name]]));
  return Object.fromEntries([...names].map((name) => [name, mean(present(name))]));
}
