import type { CausalLM } from '../models/causalLM';
import { checkPerToken, checkSequences, ModelUpdate, type OptimizerState } from '../training/modelUpdate';
import { tokenWeights } from './losses';
import { PolicyMetrics, type UpdateMetrics } from './policyMetrics';
import { policyObjective } from './policyObjective';
import { createReference, type Reference } from './reference';
import { resolveSettings, type UpdateSettings } from './updateSettings';

export type { OptimizerState } from '../training/modelUpdate';
export type { UpdateMetrics } from './policyMetrics';
export type { UpdateSettings } from './updateSettings';

/** Completions to learn from: one optimizer step. */
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
}

/** Updates a policy by GRPO: a {@link ModelUpdate} with its loss, TRL's metrics, and the reference model. */
export class PolicyUpdate {
  private constructor(
    private readonly model: CausalLM,
    private readonly settings: UpdateSettings,
    private readonly update: ModelUpdate,
    private readonly reference: Reference | null,
  ) {}

  /** Builds the graphs for a model: for its adapter where it has one, else for all of its weights. */
  static async create(model: CausalLM, settings: Partial<UpdateSettings> = {}): Promise<PolicyUpdate> {
    const all = resolveSettings(settings);
    const reference = all.beta === 0 ? null : await createReference(model, all.temperature);
    return new PolicyUpdate(model, all, await ModelUpdate.create(model, { ...all, objective: policyObjective(all) }), reference);
  }

  /** One optimizer step. Where it fails, is aborted, or the gradient is not finite, the model is as it was before. */
  async step(batch: PolicyBatch, learningRate: number, options: { signal?: AbortSignal } = {}): Promise<UpdateMetrics> {
    checkBatch(batch, this.model.maxSeqLength);
    const masks = batch.mask ?? batch.completionIds.map((ids) => new Float32Array(ids.length).fill(1));
    const tokens = await this.tokenInputs(batch, masks, options.signal);
    const { promptIds, completionIds, promptOf, advantages, oldLogprobs: old = null } = batch;
    const outcome = await this.update.step({ promptIds, completionIds, promptOf, tokens }, learningRate, options);
    const { logprobs, entropies, kl = null } = outcome.tokens;
    const metrics = new PolicyMetrics(this.settings);
    metrics.add({ loss: outcome.loss, logprobs, entropies, kl, advantages, masks, old });
    return metrics.result(outcome.gradNorm);
  }

  /** What the loss is computed from, see {@link policyObjective}. */
  private async tokenInputs(batch: PolicyBatch, masks: readonly ArrayLike<number>[], signal?: AbortSignal) {
    const perToken = (value: (i: number) => number) => batch.completionIds.map((ids, i) => new Float32Array(ids.length).fill(value(i)));
    const old = batch.oldLogprobs;
    return {
      advantages: perToken((i) => batch.advantages[i]),
      weights: tokenWeights(this.settings.lossType, masks, this.settings.maxCompletionLength),
      old_logprobs: old ?? perToken(() => 0),
      on_policy: perToken(() => (old ? 0 : 1)),
      completion_shares: masks.map(shares),
      reference_logprobs: this.reference ? await this.referenceLogprobs(this.reference, batch, signal) : [],
    };
  }

  private async referenceLogprobs({ scorer }: Reference, batch: PolicyBatch, signal?: AbortSignal): Promise<Float32Array[]> {
    const result: Float32Array[] = [];
    for (let prompt = 0; prompt < batch.promptIds.length; prompt++) {
      signal?.throwIfAborted();
      const rows = batch.promptOf.flatMap((of, i) => (of === prompt ? [i] : []));
      if (rows.length === 0) continue;
      const scores = await scorer.score({ promptIds: batch.promptIds[prompt], completionIds: rows.map((i) => batch.completionIds[i]) });
      let start = 0;
      for (const i of rows) result[i] = scores.slice(start, (start += batch.completionIds[i].length));
    }
    return result;
  }

  /** Optimizer (and reference, where it is a copy) as plain tensors, for checkpoints. */
  state(): OptimizerState {
    const state = this.update.state();
    for (const [name, { shape, data }] of this.reference?.copies ?? []) {
      state.tensors.set(`reference.${name}`, { shape: [...shape], data: data.slice() });
    }
    return state;
  }

  /** Goes on from a saved state; the model's weights are loaded apart from it. */
  load(state: OptimizerState): void {
    this.update.load(state);
    for (const [name, { data }] of this.reference?.copies ?? []) {
      const saved = state.tensors.get(`reference.${name}`);
      if (!saved) throw new Error(`the optimizer's state has no tensor "reference.${name}"; it was saved with beta 0`);
      data.set(saved.data);
    }
  }

  /** Frees what it holds outside JavaScript; it cannot be used afterwards. */
  async dispose(): Promise<void> {
    await this.update.dispose();
    await this.reference?.scorer.dispose();
  }
}

/** The share of each token in a mean over those that count. */
function shares(mask: ArrayLike<number>): Float32Array {
  const counted = Math.max(1, Array.from(mask).reduce((sum, value) => sum + value, 0));
  return Float32Array.from(mask, (value) => value / counted);
}

function checkBatch(batch: PolicyBatch, maxSeqLength: number): void {
  checkSequences(batch, maxSeqLength);
  const { completionIds, advantages, oldLogprobs, mask } = batch;
  const count = completionIds.length;
  if (advantages.length !== count) throw new Error(`advantages has ${advantages.length} entries for ${count} completions`);
  if (oldLogprobs) checkPerToken('oldLogprobs', oldLogprobs, completionIds);
  if (mask) checkPerToken('mask', mask, completionIds);
}
