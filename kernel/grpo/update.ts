import type { CausalLM } from '../models/causalLM';
import { LogprobScorer } from '../training/logprobScorer';
import type { ExtraTensors } from '../training/checkpoint';
import {
  checkPerToken,
  checkSequences,
  ModelUpdate,
  type BatchOutcome,
  type OptimizerState,
  type TokenBatch,
} from '../training/modelUpdate';
import type { SavedUpdate, TrainerUpdate } from '../training/trainer';
import { EntropyControl, type EntropyState } from './entropyControl';
import { countTokens, tokenWeights } from './losses';
import { meanMetrics, policyMetrics, type UpdateMetrics } from './policyMetrics';
import { policyObjective } from './policyObjective';
import { highEntropyMask } from './quantile';
import { Reference } from './reference';
import { resolveUpdate, type UpdateOptions, type UpdateSettings } from './updateSettings';

export type { OptimizerState } from '../training/modelUpdate';
export type { UpdateMetrics } from './policyMetrics';
export type { UpdateOptions, UpdateSettings } from './updateSettings';

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
  /** Log-probabilities of each completion's tokens when it was sampled; absent: the policy is still the one that sampled. */
  oldLogprobs?: ArrayLike<number>[];
  /** Per completion and token 1 or 0: whether it counts in the loss. Absent: all do. */
  mask?: ArrayLike<number>[];
  /** Completions that no step has sampled, but that are to be learned with these. */
  imitations?: Imitations;
  /** Tokens that count, of a mean micro-batch of those that were generated together: what dapo, cispo and vespo divide by. Absent: the mean of this step's. */
  tokensPerMicroBatch?: number;
}

/** Completions that are known to be good: each pulls as a sampled one of its advantage does, and is no part of the metrics. */
export interface Imitations {
  promptIds: number[][];
  completionIds: number[][];
  /** Completion i answers prompt `promptOf[i]`. */
  promptOf: number[];
  /** One per completion. */
  advantages: number[];
}

interface StepOptions {
  signal?: AbortSignal;
}

/** Updates a policy by GRPO: a {@link ModelUpdate} with its loss, TRL's metrics, the reference model, the entropy bonus. */
export class PolicyUpdate implements TrainerUpdate {
  readonly entropyControl: EntropyControl;
  /** Looks at the policy before an update, once that is needed. */
  private scorer: LogprobScorer | null = null;

  private constructor(
    private readonly model: CausalLM,
    private readonly settings: UpdateSettings,
    private readonly update: ModelUpdate,
    private readonly reference: Reference | null,
  ) {
    this.entropyControl = new EntropyControl(settings);
  }

  /**
   * Builds the graphs for a model: for its adapter where it has one, else for all of its weights.
   *
   * @param saved what it goes on from; the model's weights are loaded apart from it
   */
  static async create(
    model: CausalLM,
    options: UpdateOptions = {},
    saved: SavedUpdate | null = null,
  ): Promise<PolicyUpdate> {
    const all = resolveUpdate(options);
    if (all.syncRefModel && model.adapter) {
      throw new TypeError(
        'syncRefModel does not work with an adapter, as in TRL. Leave it out, or train the model without an adapter.',
      );
    }
    const update = await ModelUpdate.create(model, { ...all, objective: policyObjective(all) });
    const reference =
      all.beta === 0 ? null : await Reference.create(model, all.temperature, saved?.extras.get('reference'));
    if (saved) update.load(saved.optimizer);
    return new PolicyUpdate(model, all, update, reference);
  }

  /** One optimizer step with all micro-batches. Where it fails, is aborted, or the gradient is not finite, the model is as it was before. */
  async step(
    batches: PolicyBatch | PolicyBatch[],
    learningRate: number,
    options: StepOptions = {},
  ): Promise<UpdateMetrics> {
    const step = await this.prepare([batches].flat(), options);
    const outcome = await this.update.accumulate(step.tokens, options);
    const grad_norm = this.update.apply(learningRate);
    this.syncReference();
    if (this.entropyControl.enabled) this.entropyControl.update(step.meanEntropy(outcome));
    return { ...this.metrics(step, outcome), grad_norm } as UpdateMetrics;
  }

  /** Loss and metrics of a batch, without learning from it. */
  async evaluate(batch: PolicyBatch, options: StepOptions = {}): Promise<Record<string, number>> {
    const step = await this.prepare([batch], options);
    const { entropy_coef, ...metrics } = this.metrics(step, await this.update.evaluate(step.tokens, options));
    return metrics;
  }

  /** Log-probabilities of completions under the policy as it is. */
  async logprobs(batch: Omit<TokenBatch, 'tokens'>, { signal }: StepOptions = {}): Promise<Float32Array[]> {
    return (await (await this.policyScorer()).scoreBatch(batch, signal)).logprobs;
  }

  private async prepare(batches: PolicyBatch[], { signal }: StepOptions): Promise<PreparedStep> {
    for (const batch of batches) checkBatch(batch, this.model.maxSeqLength);
    const step = new PreparedStep(batches, this.settings);
    const { tokens, sequences } = step;
    if (this.reference) tokens.tokens.reference_logprobs = (await this.reference.scores(sequences, signal)).logprobs;
    if (this.settings.topEntropyQuantile < 1)
      step.choose((await (await this.policyScorer()).scoreBatch(sequences, signal)).entropies);
    if (this.entropyControl.enabled) step.addEntropyBonus(this.entropyControl.weight);
    return step;
  }

  private async policyScorer(): Promise<LogprobScorer> {
    const { config, parameters } = this.model;
    return (this.scorer ??= await LogprobScorer.create(config, parameters, this.settings.temperature));
  }

  private metrics(step: PreparedStep, outcome: BatchOutcome): Record<string, number> {
    const bonus = this.entropyControl.enabled;
    return {
      loss: outcome.loss,
      ...meanMetrics(step.metrics(outcome)),
      ...(bonus && { entropy_coef: this.entropyControl.state.entropyCoef }),
    };
  }

  private syncReference(): void {
    const { syncRefModel, refModelSyncSteps, refModelMixupAlpha } = this.settings;
    if (!this.reference || !syncRefModel || this.update.state().step % refModelSyncSteps !== 0) return;
    this.reference.mixIn(this.model.trainableParameters(), refModelMixupAlpha);
  }

  /** Steps and moments of the optimizer, for checkpoints. */
  state(): OptimizerState {
    return this.update.state();
  }

  /** The reference model, for checkpoints. */
  extras(): Map<string, ExtraTensors> {
    return new Map(this.reference ? [['reference', this.reference.state()]] : []);
  }

  /** Where the entropy bonus stands, for checkpoints. */
  get entropyState(): EntropyState {
    return this.entropyControl.state;
  }

  /** Frees what it holds outside JavaScript; it cannot be used afterwards. */
  async dispose(): Promise<void> {
    await this.update.dispose();
    await this.reference?.dispose();
    await this.scorer?.dispose();
  }
}

/**
 * The micro-batches of a step as one batch of tokens. Completions of one
 * prompt share its computation wherever they stand; what depends on the
 * micro-batch are their weights and the metrics.
 */
class PreparedStep {
  /** First the completions of all micro-batches, then what is imitated. */
  readonly tokens: TokenBatch & { tokens: Record<string, readonly ArrayLike<number>[]> };
  /** For each micro-batch, its completions' numbers among all. */
  private readonly members: number[][] = [];
  private readonly masks: ArrayLike<number>[];
  /** The tokens that the policy's loss looks at. */
  private chosen: ArrayLike<number>[];

  constructor(
    private readonly batches: readonly PolicyBatch[],
    private readonly settings: UpdateSettings,
  ) {
    // By what they say: those of a checkpoint are other lists than those of which a run has several at once.
    const prompts = new Map<string, number>();
    const promptIds: number[][] = [];
    const promptOf: number[] = [];
    const take = ({
      completionIds,
      promptOf: of,
      promptIds: known,
    }: Pick<PolicyBatch, 'completionIds' | 'promptOf' | 'promptIds'>): number[] =>
      completionIds.map((_, i) => {
        const ids = known[of[i]];
        const text = ids.join();
        if (!prompts.has(text)) prompts.set(text, promptIds.push(ids) - 1);
        return promptOf.push(prompts.get(text)!) - 1;
      });
    for (const batch of batches) this.members.push(take(batch));
    for (const { imitations } of batches) if (imitations) take(imitations);
    const completionIds = [...batches.flatMap((batch) => batch.completionIds), ...batches.flatMap(imitated)];
    this.chosen = this.masks = [...batches.flatMap(masksOf), ...batches.flatMap(imitatedMasks)];
    this.tokens = { promptIds, completionIds, promptOf, tokens: this.inputs(completionIds) };
  }

  get sequences(): Omit<TokenBatch, 'tokens'> {
    return this.tokens;
  }

  /** What the loss is computed from, see {@link policyObjective}. */
  private inputs(completionIds: readonly number[][]): Record<string, ArrayLike<number>[]> {
    const { lossType, maxCompletionLength } = this.settings;
    const accumulation = this.batches.length;
    const counted = this.batches.flatMap(masksOf).reduce((sum, mask) => sum + countTokens(mask), 0);
    const perToken = (values: readonly number[]) =>
      completionIds.map((ids, i) => new Float32Array(ids.length).fill(values[i]));
    const weights = this.batches.map((batch) => {
      const tokensPerMicroBatch = batch.tokensPerMicroBatch ?? counted / accumulation;
      return tokenWeights(lossType, [...masksOf(batch), ...imitatedMasks(batch)], {
        accumulation,
        tokensPerMicroBatch,
        maxCompletionLength,
      });
    });
    const zeros = (all: readonly number[][]) => all.map((ids) => new Float32Array(ids.length));
    return {
      advantages: perToken([
        ...this.batches.flatMap(({ advantages }) => Array.from(advantages)),
        ...this.batches.flatMap(({ imitations }) => imitations?.advantages ?? []),
      ]),
      weights: [
        ...weights.flatMap((of, b) => of.slice(0, this.members[b].length)),
        ...weights.flatMap((of, b) => of.slice(this.members[b].length)),
      ],
      old_logprobs: [
        ...this.batches.flatMap(({ oldLogprobs, completionIds: own }) => oldLogprobs ?? zeros(own)),
        ...zeros(this.batches.flatMap(imitated)),
      ],
      on_policy: perToken([
        ...this.batches.flatMap(({ oldLogprobs, completionIds: own }) => own.map(() => (oldLogprobs ? 0 : 1))),
        ...this.batches.flatMap(imitated).map(() => 1),
      ]),
      mask: this.masks,
      completion_shares: this.masks.map((mask) =>
        Float32Array.from(mask, (value) => value / Math.max(1, countTokens(mask))),
      ),
      chosen: completionIds.map((ids) => new Float32Array(ids.length).fill(1)),
      entropy_weights: completionIds.map((ids) => new Float32Array(ids.length)),
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

  /** Of the tokens that the bonus looks at. */
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

  /** The metrics of each micro-batch. */
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

  /** A micro-batch's loss without the bonus. TRL divides some by the number of micro-batches after it was noted. */
  private policyLoss(losses: Float32Array[] | undefined): Record<string, number> {
    if (!losses) return {};
    const total = losses.reduce((sum, values) => sum + values.reduce((a, b) => a + b, 0), 0);
    const noted = ['dapo', 'cispo', 'vespo'].includes(this.settings.lossType) ? total : total * this.batches.length;
    return { policy_loss: noted };
  }
}

function masksOf({ mask, completionIds }: PolicyBatch): ArrayLike<number>[] {
  return mask ?? completionIds.map((ids) => new Float32Array(ids.length).fill(1));
}

function imitated({ imitations }: PolicyBatch): number[][] {
  return imitations?.completionIds ?? [];
}

function imitatedMasks(batch: PolicyBatch): ArrayLike<number>[] {
  return imitated(batch).map((ids) => new Float32Array(ids.length).fill(1));
}

function checkBatch(batch: PolicyBatch, maxSeqLength: number): void {
  checkSequences(batch, maxSeqLength);
  const { completionIds, advantages, oldLogprobs, mask } = batch;
  const count = completionIds.length;
  if (advantages.length !== count)
    throw new Error(`advantages has ${advantages.length} entries for ${count} completions`);
  if (oldLogprobs) checkPerToken('oldLogprobs', oldLogprobs, completionIds);
  if (mask) checkPerToken('mask', mask, completionIds);
}
