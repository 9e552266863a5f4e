import type { LossSettings } from './losses';

/** Metrics of one update by TRL's names and definitions. */
export interface UpdateMetrics {
  loss: number;
  /** Norm of all gradients before clipping. */
  grad_norm: number;
  /** Mean over the tokens that count. */
  entropy: number;
  /** Mean over the tokens that count; only where beta is not 0. */
  kl?: number;
  /** Tokens (completions, with ratios of whole completions) whose ratio is clipped; not for cispo and sapo. */
  'clip_ratio/low_mean'?: number;
  'clip_ratio/low_min'?: number;
  'clip_ratio/high_mean'?: number;
  'clip_ratio/high_max'?: number;
  'clip_ratio/region_mean'?: number;
  /** The same for cispo. */
  cispo_clip_ratio?: number;
}

/** What an update says of its batch, with what it was fed; all but the loss by completion. */
export interface PolicyOutcome {
  loss: number;
  /** Per token. */
  logprobs: readonly ArrayLike<number>[];
  entropies: readonly ArrayLike<number>[];
  kl: readonly ArrayLike<number>[] | null;
  advantages: ArrayLike<number>;
  masks: readonly ArrayLike<number>[];
  /** null: the policy is the one that sampled, so that every ratio is 1. */
  old: readonly ArrayLike<number>[] | null;
}

/** Adds up the metrics of the batches of one update. */
export class PolicyMetrics {
  private loss = 0;
  private tokens = 0;
  private entropy = 0;
  private kl: number | null = null;
  /** Per completion: how much of it is clipped at the low and at the high end. */
  private readonly low: number[] = [];
  private readonly high: number[] = [];
  private readonly counts: number[] = [];

  constructor(private readonly settings: LossSettings) {}

  add(outcome: PolicyOutcome): void {
    this.loss += outcome.loss;
    outcome.masks.forEach((mask, i) => {
      let count = 0;
      for (let t = 0; t < mask.length; t++) {
        count += mask[t];
        this.entropy += mask[t] * outcome.entropies[i][t];
        if (outcome.kl) this.kl = (this.kl ?? 0) + mask[t] * outcome.kl[i][t];
      }
      this.tokens += count;
      this.addClipping(outcome, i, count);
    });
  }

  /** Which tokens of completion i are clipped, or, for ratios of whole completions, whether it is. */
  private addClipping(outcome: PolicyOutcome, i: number, count: number): void {
    const { epsilon, epsilonHigh, importanceSamplingLevel, lossType } = this.settings;
    const limit = lossType === 'cispo' ? epsilonHigh : 1 + epsilonHigh;
    const mask = outcome.masks[i];
    const old = outcome.old?.[i];
    const ratios: number[] = [];
    for (let t = 0; t < mask.length; t++) ratios.push(old ? outcome.logprobs[i][t] - old[t] : 0);
    const perSequence = importanceSamplingLevel === 'sequence';
    const weights = perSequence ? [1] : Array.from(mask);
    const logs = perSequence ? [ratios.reduce((sum, ratio, t) => sum + ratio * mask[t], 0) / Math.max(count, 1)] : ratios;
    let [low, high] = [0, 0];
    logs.forEach((log, t) => {
      const ratio = Math.exp(log);
      if (ratio < 1 - epsilon && outcome.advantages[i] < 0) low += weights[t];
      if (ratio > limit && outcome.advantages[i] > 0) high += weights[t];
    });
    this.low.push(low);
    this.high.push(high);
    this.counts.push(perSequence ? 1 : count);
  }

  result(gradNorm: number): UpdateMetrics {
    const tokens = Math.max(this.tokens, 1);
    return {
      loss: this.loss,
      grad_norm: gradNorm,
      entropy: this.entropy / tokens,
      ...(this.kl !== null && { kl: this.kl / tokens }),
      ...this.clipping(),
    };
  }

  private clipping(): Partial<UpdateMetrics> {
    const { lossType } = this.settings;
    if (lossType === 'sapo') return {};
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const total = Math.max(sum(this.counts), 1);
    const [low, high] = [sum(this.low) / total, sum(this.high) / total];
    if (lossType === 'cispo') return { cispo_clip_ratio: high };
    // Completions without a token that counts have no share, as in TRL.
    const shares = (values: readonly number[]) => values.flatMap((value, i) => (this.counts[i] > 0 ? [value / this.counts[i]] : []));
    const [lowShares, highShares] = [shares(this.low), shares(this.high)];
    return {
      'clip_ratio/low_mean': low,
      'clip_ratio/low_min': lowShares.length > 0 ? Math.min(...lowShares) : 0,
      'clip_ratio/high_mean': high,
      'clip_ratio/high_max': highShares.length > 0 ? Math.max(...highShares) : 0,
      'clip_ratio/region_mean': low + high,
    };
  }
}
