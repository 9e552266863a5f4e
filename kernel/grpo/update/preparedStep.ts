import type { BatchOutcome, TokenBatch } from '../../training/update/modelUpdate';
import type { UpdateSettings } from '../updateSettings';
import { countTokens, tokenWeights } from './losses';
import { policyMetrics } from './policyMetrics';
import { sampledKl } from './trustRegion';

/** Completions to learn from: a micro-batch. */
export interface PolicyBatch {
  /** Token IDs of the prompts. */
  promptIds: number[][];
  /** Token IDs of the completions (the end token included), none empty. */
  completionIds: number[][];
  /** Completion i answers prompt `promptOf[i]`. */
  promptOf: number[];
  /** One per completion. */
  advantages: ArrayLike<number>;
  /** Log-probabilities of each completion's tokens when it was sampled, in nats; absent: the policy is still the one that sampled. */
  oldLogprobs?: ArrayLike<number>[];
  /** For each completion and token 1 if it counts in the loss, else 0. Absent: all count. */
  mask?: ArrayLike<number>[];
  /** Completions that were not sampled for this step, and are learned with it. */
  imitations?: Imitations;
  /** Mean number of tokens that count, over the micro-batches that were generated together: dapo, cispo and vespo divide by it. Absent: the mean of this step's. */
  tokensPerMicroBatch?: number;
}

/** Completions that are known to be good: each counts in the loss as a sampled one with its advantage does, and not in the metrics. */
export interface Imitations {
  promptIds: number[][];
  completionIds: number[][];
  /** Completion i answers prompt `promptOf[i]`. */
  promptOf: number[];
  /** One per completion. */
  advantages: number[];
}

/**
 * The micro-batches of a step as one batch of tokens. Completions of one prompt
 * share its computation, whichever micro-batch they are in; only their weights
 * and the metrics depend on the micro-batch.
 */
export class PreparedStep {
  readonly tokens: TokenBatch & { tokens: Record<string, readonly ArrayLike<number>[]> };
  /** The micro-batches, then the imitated completions as batches of their own. */
  private readonly all: PolicyBatch[];
  /** For each micro-batch the indices of its completions among all. */
  private readonly members: number[][];
  private readonly masks: ArrayLike<number>[];
  /** Masks of the tokens in the policy's loss. */
  private chosen: ArrayLike<number>[];

  constructor(
    private readonly batches: readonly PolicyBatch[],
    private readonly settings: UpdateSettings,
  ) {
    this.all = [...batches, ...batches.flatMap(({ imitations }) => imitations ?? [])];
    this.chosen = this.masks = this.all.flatMap(masksOf);
    // Prompts are compared by their tokens: those of a checkpoint are other arrays than the run's.
    const prompts = new Map<string, number>();
    const promptIds: number[][] = [];
    const promptOf: number[] = [];
    const take = (ids: number[]): number => {
      const text = ids.join();
      if (!prompts.has(text)) prompts.set(text, promptIds.push(ids) - 1);
      return promptOf.push(prompts.get(text)!) - 1;
    };
    const numbers = this.all.map((batch) => Array.from(batch.promptOf, (prompt) => take(batch.promptIds[prompt])));
    this.members = numbers.slice(0, batches.length);
    const completionIds = this.all.flatMap((batch) => batch.completionIds);
    this.tokens = { promptIds, completionIds, promptOf, tokens: this.inputs(completionIds) };
  }

  get sequences(): Omit<TokenBatch, 'tokens'> {
    return this.tokens;
  }

  /** Returns the inputs of the loss, see `policyObjective`. */
  private inputs(completionIds: readonly number[][]): Record<string, ArrayLike<number>[]> {
    const { lossType, maxCompletionLength } = this.settings;
    const accumulation = this.batches.length;
    const counted = this.batches.flatMap(masksOf).reduce((sum, mask) => sum + countTokens(mask), 0);
    const perToken = (values: readonly number[]) =>
      completionIds.map((ids, i) => new Float32Array(ids.length).fill(values[i]));
    const weights = this.batches.map((batch) => {
      const tokensPerMicroBatch = batch.tokensPerMicroBatch ?? counted / accumulation;
      const masks = [batch, batch.imitations ?? []].flat().flatMap(masksOf);
      return tokenWeights(lossType, masks, { accumulation, tokensPerMicroBatch, maxCompletionLength });
    });
    return {
      advantages: perToken(this.all.flatMap(({ advantages }) => Array.from(advantages))),
      weights: [
        ...weights.flatMap((of, b) => of.slice(0, this.members[b].length)),
        ...weights.flatMap((of, b) => of.slice(this.members[b].length)),
      ],
      old_logprobs: this.all.flatMap(
        ({ oldLogprobs, completionIds: own }) => oldLogprobs ?? own.map((ids) => new Float32Array(ids.length)),
      ),
      on_policy: perToken(
        this.all.flatMap(({ oldLogprobs, completionIds: own }) => own.map(() => (oldLogprobs ? 0 : 1))),
      ),
      mask: this.masks,
      completion_shares: this.masks.map((mask) =>
        Float32Array.from(mask, (value) => value / Math.max(1, countTokens(mask))),
      ),
      chosen: perToken(completionIds.map(() => 1)),
      entropy_weights: perToken(completionIds.map(() => 0)),
    };
  }

  /** Restricts the policy's loss to the tokens of the highest entropy, of each micro-batch on its own. */
  choose(entropies: readonly Float32Array[]): void {
    const chosen: ArrayLike<number>[] = [];
    for (const members of this.members) {
      const masks = members.map((i) => this.masks[i]);
      chosen.push(
        ...highEntropyMask(
          members.map((i) => entropies[i]),
          masks,
          1 - this.settings.topEntropyQuantile,
        ),
      );
    }
    this.tokens.tokens.chosen = this.chosen = [...chosen, ...this.masks.slice(chosen.length)];
  }

  /** Adds a bonus for the mean entropy of each micro-batch to the loss. */
  addEntropyBonus(coefficient: number): void {
    const weights = this.masks.map((mask) => new Float32Array(mask.length));
    for (const members of this.members) {
      const counted = members.reduce((sum, i) => sum + countTokens(this.chosen[i]), 0);
      const weight = coefficient / (Math.max(counted, 1) * this.batches.length);
      for (const i of members) weights[i] = Float32Array.from(this.chosen[i], (value) => value * weight);
    }
    this.tokens.tokens.entropy_weights = weights;
  }

  /** Returns the mean entropy of the tokens of the bonus, in nats. */
  meanEntropy({ tokens: { entropies } }: BatchOutcome): number {
    const masks = this.chosen.slice(0, this.members.flat().length);
    let sum = 0;
    masks.forEach((mask, i) => entropies[i].forEach((entropy, t) => (sum += entropy * mask[t])));
    return (
      sum /
      Math.max(
        1,
        masks.reduce((count, mask) => count + countTokens(mask), 0),
      )
    );
  }

  /** Returns the KL divergence of two policies by the sampled tokens that count: of the one that has sampled, and of another. */
  sampledKl(old: readonly Float32Array[], now: readonly Float32Array[]): number {
    return sampledKl(old, now, this.masks.slice(0, this.members.flat().length));
  }

  /** Returns the metrics of each micro-batch. */
  metrics({ tokens }: BatchOutcome): Record<string, number>[] {
    return this.batches.map((batch, b) => {
      const own = (name: string) => tokens[name] && this.members[b].map((i) => tokens[name][i]);
      const metrics = policyMetrics(this.settings, {
        logprobs: own('logprobs'),
        entropies: own('entropies'),
        kl: own('kl') ?? null,
        phi: own('phi') ?? null,
        advantages: batch.advantages,
        masks: masksOf(batch),
        old: batch.oldLogprobs ?? null,
      });
      return { ...metrics, ...this.policyLoss(own('policy_loss')) };
    });
  }

  /** Returns a micro-batch's loss without the bonus, as TRL logs it: for some losses before it divides by the number of micro-batches. */
  private policyLoss(losses: Float32Array[] | undefined): Record<string, number> {
    if (!losses) return {};
    const total = losses.reduce((sum, values) => sum + values.reduce((a, b) => a + b, 0), 0);
    const logged = ['dapo', 'cispo', 'vespo'].includes(this.settings.lossType) ? total : total * this.batches.length;
    return { policy_loss: logged };
  }
}

function masksOf({ mask, completionIds }: PolicyBatch): ArrayLike<number>[] {
  return mask ?? completionIds.map((ids) => new Float32Array(ids.length).fill(1));
}

/** Returns the q-quantile of values, interpolated linearly as torch.quantile does. */
function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float32Array.from(values).sort();
  const rank = q * (sorted.length - 1);
  const below = Math.floor(rank);
  const above = Math.min(below + 1, sorted.length - 1);
  return Math.fround(sorted[below] + (rank - below) * (sorted[above] - sorted[below]));
}

/**
 * Returns for each completion 1 for the tokens that count and whose entropy is at
 * least the `q`-quantile of all that count, else 0.
 */
function highEntropyMask(
  entropies: readonly ArrayLike<number>[],
  masks: readonly ArrayLike<number>[],
  q: number,
): Float32Array[] {
  const counted = entropies.flatMap((values, i) => Array.from(values).filter((_, t) => masks[i][t] > 0));
  const threshold = counted.length > 0 ? quantile(counted, q) : Infinity;
  return entropies.map((values, i) =>
    Float32Array.from(values, (entropy, t) => (masks[i][t] > 0 && entropy >= threshold ? 1 : 0)),
  );
}
