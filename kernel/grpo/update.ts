import type { CausalLM } from '../models/causalLM';
import { groupFeeds } from '../models/groupBatch';
import { groupLogprobs, LogprobScorer } from '../models/groupLogprobs';
import { GraphParameters } from '../models/parameters';
import { gradients } from '../onnx/gradients';
import { Graph } from '../onnx/graph';
import { detach, less, select } from '../onnx/operators/arithmetic';
import { GraphSession, int64Feed, type Feed } from '../onnx/session';
import type { Tensor } from '../onnx/tensor';
import { AdamW, type OptimizerState } from './adamw';
import { LOSS_TYPES, policyLoss, tokenWeights, type LossSettings } from './losses';
import { PolicyMetrics, type UpdateMetrics } from './policyMetrics';

export type { OptimizerState } from './adamw';
export type { UpdateMetrics } from './policyMetrics';

/** Settings of a {@link PolicyUpdate}: TRL's names, meaning and defaults. */
export interface UpdateSettings extends LossSettings {
  adamBeta1: number;
  adamBeta2: number;
  adamEpsilon: number;
  weightDecay: number;
  /** Gradients are scaled down to this norm; 0: they are not. */
  maxGradNorm: number;
  /** The temperature that completions were sampled with. */
  temperature: number;
  /** For dr_grpo, whose shares do not depend on the lengths. */
  maxCompletionLength: number;
}

/** TRL's defaults. */
export const UPDATE_DEFAULTS: UpdateSettings = {
  lossType: 'dapo',
  beta: 0,
  epsilon: 0.2,
  epsilonHigh: 0.2,
  delta: null,
  importanceSamplingLevel: 'token',
  useBiasCorrectionKl: true,
  sapoTemperaturePos: 1,
  sapoTemperatureNeg: 1.05,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  adamEpsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
  temperature: 1,
  maxCompletionLength: 512,
};

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

/** A reference model's log-probabilities, and how to keep them over a restart. */
interface Reference {
  scorer: LogprobScorer;
  /** The frozen copy of all weights; empty where the reference is the base of an adapter. */
  copies: Map<string, Tensor>;
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

/** The graph of one group: forward, loss, backward. */
function updateGraph(model: CausalLM, settings: UpdateSettings): { graph: Graph; parameters: GraphParameters } {
  const graph = new Graph();
  const parameters = new GraphParameters(graph, model.parameters, {
    weights: 'input',
    trainable: model.adapter ? 'adapter' : 'weights',
  });
  const { logprobs, entropies } = groupLogprobs(graph, model.config, parameters, model.maxSeqLength, settings.temperature);
  const perToken = (name: string) => graph.input(name, 'float32', ['M']);
  // 1 where the policy is still the one that sampled: its own log-probabilities are the old ones, exactly.
  const onPolicy = less(graph.scalar(0.5), graph.input('on_policy', 'float32', []));
  const { loss, kl } = policyLoss(graph, settings, {
    logprobs,
    oldLogprobs: select(onPolicy, detach(logprobs), perToken('old_logprobs')),
    referenceLogprobs: settings.beta === 0 ? null : perToken('reference_logprobs'),
    advantages: perToken('advantages'),
    weights: perToken('weights'),
    sequences:
      settings.importanceSamplingLevel === 'token'
        ? null
        : { means: graph.input('sequence_means', 'float32', ['K', 'M']), completionOf: graph.input('completion_of', 'int64', ['M']) },
  });
  graph.output('loss', loss);
  graph.output('logprobs', logprobs);
  graph.output('entropies', entropies);
  if (kl) graph.output('kl', kl);
  const names = [...parameters.trainable.keys()];
  gradients(loss, [...parameters.trainable.values()]).forEach((gradient, i) => graph.output(`gradient ${names[i]}`, gradient));
  return { graph, parameters };
}

/** What the loss is computed from, per token of all completions of a group. */
function lossFeeds(
  completionIds: readonly (readonly number[])[],
  { advantages, weights, masks, old }: { advantages: number[]; weights: Float32Array[]; masks: ArrayLike<number>[]; old?: ArrayLike<number>[] },
): Record<string, Feed> {
  const completionOf = completionIds.flatMap((ids, i) => ids.map(() => i));
  const count = completionOf.length;
  const means = new Float32Array(completionIds.length * count);
  let token = 0;
  completionIds.forEach((ids, i) => {
    const counted = Math.max(1, Array.from(masks[i]).reduce((sum, value) => sum + value, 0));
    for (let t = 0; t < ids.length; t++) means[i * count + token++] = masks[i][t] / counted;
  });
  return {
    on_policy: { shape: [], data: Float32Array.of(old ? 0 : 1) },
    old_logprobs: vector(old ? old.flatMap((values) => Array.from(values)) : new Float32Array(count)),
    advantages: vector(completionOf.map((i) => advantages[i])),
    weights: vector(weights.flatMap((values) => Array.from(values))),
    sequence_means: { shape: [completionIds.length, count], data: means },
    completion_of: int64Feed(completionOf),
  };
}

function vector(values: ArrayLike<number>): Feed {
  return { shape: [values.length], data: values instanceof Float32Array ? values : Float32Array.from(values) };
}

/** The base without the adapter, or a frozen copy of all weights. */
async function createReference(model: CausalLM, temperature: number): Promise<Reference> {
  const copies = new Map<string, Tensor>();
  if (!model.adapter) for (const [name, { shape, data }] of model.weights) copies.set(name, { shape, data: data.slice() });
  const weights = model.adapter ? model.weights : copies;
  const scorer = await LogprobScorer.create(model.config, { weights, adapter: null }, model.maxSeqLength, temperature);
  return { scorer, copies };
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

function resolveSettings(settings: Partial<UpdateSettings>): UpdateSettings {
  const all = { ...UPDATE_DEFAULTS, ...settings };
  if (settings.epsilonHigh === undefined || settings.epsilonHigh === null) all.epsilonHigh = all.epsilon;
  if (!LOSS_TYPES.includes(all.lossType)) throw new Error(`lossType must be one of ${LOSS_TYPES.join(', ')}, not ${JSON.stringify(all.lossType)}`);
  if (!['token', 'sequence'].includes(all.importanceSamplingLevel)) {
    throw new Error(`importanceSamplingLevel must be 'token' or 'sequence', not ${JSON.stringify(all.importanceSamplingLevel)}`);
  }
  if (!(all.temperature > 0)) throw new Error(`temperature must be positive for training, not ${all.temperature}`);
  return all;
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
    if (prompt.length + ids.length > maxSeqLength) throw new Error(`completion ${i} with its prompt has ${prompt.length + ids.length} tokens, more than maxSeqLength (${maxSeqLength})`);
    if (oldLogprobs && oldLogprobs[i].length !== ids.length) throw new Error(`oldLogprobs[${i}] has ${oldLogprobs[i].length} entries for ${ids.length} tokens`);
    if (mask && mask[i].length !== ids.length) throw new Error(`mask[${i}] has ${mask[i].length} entries for ${ids.length} tokens`);
  });
}
