import type { CausalLM } from '../models/causalLM';
import { groupFeeds } from '../models/groupBatch';
import type { GraphParameters } from '../models/parameters';
import { GraphSession } from '../onnx/session';
import { AdamW, type OptimizerState } from './adamw';
import { tokenWeights } from './losses';
import { PolicyMetrics, type UpdateMetrics } from './policyMetrics';
import { createReference, type Reference } from './reference';
import { lossFeeds, updateGraph, vector } from './updateGraph';
import { resolveSettings, type UpdateSettings } from './updateSettings';

export type { OptimizerState } from './adamw';
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

/**
 * Updates a policy by GRPO: log-probabilities, loss and gradients in one graph
 * per group, then gradient clipping and AdamW on the model's own tensors, so
 * that the next generation uses the new ones without any copy.
 */
export class PolicyUpdate {
  private constructor(
    private readonly model: CausalLM,
    private readonly settings: UpdateSettings,
    private readonly session: GraphSession,
    private readonly parameters: GraphParameters,
    private readonly optimizer: AdamW,
    private readonly reference: Reference | null,
  ) {}

  /** Builds the graph for a model: for its adapter where it has one, else for all of its weights. */
  static async create(model: CausalLM, settings: Partial<UpdateSettings> = {}): Promise<PolicyUpdate> {
    const all = resolveSettings(settings);
    const { graph, parameters } = updateGraph(model, all);
    const optimizer = new AdamW(model.trainableParameters(), {
      beta1: all.adamBeta1,
      beta2: all.adamBeta2,
      epsilon: all.adamEpsilon,
      weightDecay: all.weightDecay,
    });
    const reference = all.beta === 0 ? null : await createReference(model, all.temperature);
    return new PolicyUpdate(model, all, await GraphSession.create(graph), parameters, optimizer, reference);
  }

  /** One optimizer step. Where it fails, is aborted, or the gradient is not finite, the model is as it was before. */
  async step(batch: PolicyBatch, learningRate: number, { signal }: { signal?: AbortSignal } = {}): Promise<UpdateMetrics> {
    checkBatch(batch, this.model.maxSeqLength);
    const masks = batch.mask ?? batch.completionIds.map((ids) => new Float32Array(ids.length).fill(1));
    const weights = tokenWeights(this.settings.lossType, masks, this.settings.maxCompletionLength);
    const metrics = new PolicyMetrics(this.settings);
    const sums = new Map<string, Float32Array>();
    for (let prompt = 0; prompt < batch.promptIds.length; prompt++) {
      signal?.throwIfAborted();
      const rows = batch.promptOf.flatMap((of, i) => (of === prompt ? [i] : []));
      if (rows.length > 0) await this.accumulate(batch, prompt, rows, { masks, weights }, metrics, sums);
    }
    signal?.throwIfAborted();
    const gradNorm = norm(sums);
    if (!Number.isFinite(gradNorm)) {
      throw new Error('the gradient is not finite, and nothing was changed; a lower learningRate or a smaller maxGradNorm keeps training stable');
    }
    const { maxGradNorm } = this.settings;
    const factor = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (gradNorm + 1e-6)) : 1;
    this.optimizer.step(sums, learningRate, factor);
    return metrics.result(gradNorm);
  }

  /** Runs the graph for the completions of one prompt and adds up gradients and metrics. */
  private async accumulate(
    batch: PolicyBatch,
    prompt: number,
    rows: readonly number[],
    { masks, weights }: { masks: readonly ArrayLike<number>[]; weights: readonly Float32Array[] },
    metrics: PolicyMetrics,
    sums: Map<string, Float32Array>,
  ): Promise<void> {
    const group = { promptIds: batch.promptIds[prompt], completionIds: rows.map((i) => batch.completionIds[i]) };
    const old = batch.oldLogprobs && rows.map((i) => batch.oldLogprobs![i]);
    const feeds = groupFeeds(group);
    const outputs = await this.session.run({
      ...this.parameters.feeds(),
      ...feeds,
      ...lossFeeds(group.completionIds, {
        advantages: rows.map((i) => batch.advantages[i]),
        weights: rows.map((i) => weights[i]),
        masks: rows.map((i) => masks[i]),
        old,
      }),
      reference_logprobs: vector(this.reference ? await this.reference.scorer.score(group) : []),
    });
    for (const name of this.parameters.trainable.keys()) addTo(sums, name, outputs[`gradient ${name}`].data);
    metrics.add({
      loss: outputs.loss.data[0],
      logprobs: outputs.logprobs.data,
      entropies: outputs.entropies.data,
      kl: outputs.kl?.data ?? null,
      predictions: feeds.tokens.data as BigInt64Array,
      advantages: rows.map((i) => batch.advantages[i]),
      masks: rows.map((i) => masks[i]),
      old: old ?? null,
    });
  }

  /** Optimizer (and reference, where it is a copy) as plain tensors, for checkpoints. */
  state(): OptimizerState {
    const state = this.optimizer.state();
    for (const [name, { shape, data }] of this.reference?.copies ?? []) {
      state.tensors.set(`reference.${name}`, { shape: [...shape], data: data.slice() });
    }
    return state;
  }

  /** Goes on from a saved state; the model's weights are loaded apart from it. */
  load(state: OptimizerState): void {
    this.optimizer.load(state);
    for (const [name, { data }] of this.reference?.copies ?? []) {
      const saved = state.tensors.get(`reference.${name}`);
      if (!saved) throw new Error(`the optimizer's state has no tensor "reference.${name}"; it was saved with beta 0`);
      data.set(saved.data);
    }
  }

  /** Frees what it holds outside JavaScript; it cannot be used afterwards. */
  async dispose(): Promise<void> {
    await this.session.release();
    await this.reference?.scorer.dispose();
  }
}

function addTo(sums: Map<string, Float32Array>, name: string, gradient: Float32Array): void {
  const sum = sums.get(name);
  if (!sum) sums.set(name, gradient);
  else for (let i = 0; i < sum.length; i++) sum[i] += gradient[i];
}

/** The norm of all gradients together. */
function norm(gradients: ReadonlyMap<string, Float32Array>): number {
  let square = 0;
  for (const gradient of gradients.values()) {
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) sum += gradient[i] * gradient[i];
    square += sum;
  }
  return Math.sqrt(square);
}

function checkBatch(batch: PolicyBatch, maxSeqLength: number): void {
  const { promptIds, completionIds, promptOf, advantages, oldLogprobs, mask } = batch;
  const count = completionIds.length;
  if (count === 0) throw new Error('a batch needs at least one completion');
  const wrong = (name: string, length: number) => {
    if (length !== count) throw new Error(`${name} has ${length} entries for ${count} completions`);
  };
  wrong('promptOf', promptOf.length);
  wrong('advantages', advantages.length);
  if (oldLogprobs) wrong('oldLogprobs', oldLogprobs.length);
  if (mask) wrong('mask', mask.length);
  completionIds.forEach((ids, i) => {
    const prompt = promptIds[promptOf[i]];
    if (!prompt || prompt.length === 0) throw new Error(`completion ${i} answers prompt ${promptOf[i]}, which is not there or empty`);
    if (ids.length === 0) throw new Error(`completion ${i} is empty; it needs at least its end token`);
    const length = prompt.length + ids.length;
    if (length > maxSeqLength) throw new Error(`completion ${i} with its prompt has ${length} tokens, more than maxSeqLength (${maxSeqLength})`);
    for (const [name, rows] of Object.entries({ oldLogprobs, mask })) {
      if (rows && rows[i].length !== ids.length) throw new Error(`${name}[${i}] has ${rows[i].length} entries for ${ids.length} tokens`);
    }
  });
}
