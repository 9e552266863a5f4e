import type { CausalLM } from '../models/causalLM';
import { groupFeeds } from '../models/groupBatch';
import type { GraphParameters } from '../models/parameters';
import { GraphSession } from '../onnx/session';
import { AdamW, type OptimizerState } from './adamw';
import type { Objective } from './objective';
import { objectiveFeeds, updateGraph } from './updateGraph';

export type { OptimizerState } from './adamw';

/** Settings of the optimizer, by transformers' names and with its defaults (those of TRL's GRPO). */
export interface OptimizerSettings {
  adamBeta1: number;
  adamBeta2: number;
  adamEpsilon: number;
  weightDecay: number;
  /** Gradients are scaled down to this norm; 0: they are not. */
  maxGradNorm: number;
}

/** TRL's defaults. */
export const OPTIMIZER_DEFAULTS: OptimizerSettings = { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 };

/** Settings of a {@link ModelUpdate}. */
export interface ModelUpdateOptions extends Partial<OptimizerSettings> {
  /** What is minimised. */
  objective: Objective;
  /** Logits are divided by it; 1 by default. */
  temperature?: number;
}

/** Completions to learn from. Completions of one prompt share its computation. */
export interface TokenBatch {
  /** Token IDs of the prompts: context that is not learned, none empty. */
  promptIds: readonly (readonly number[])[];
  /** Token IDs of the completions, none empty: these tokens are learned. */
  completionIds: readonly (readonly number[])[];
  /** Completion i answers prompt `promptOf[i]`. */
  promptOf: ArrayLike<number>;
  /** The objective's inputs by name: for each completion, one value per token. */
  tokens: Record<string, readonly ArrayLike<number>[]>;
}

/** What the objective says of a batch. */
export interface BatchOutcome {
  loss: number;
  /** The objective's outputs, `logprobs` and `entropies` by name: for each completion, one value per token. */
  tokens: Record<string, Float32Array[]>;
}

/**
 * Trains a model on an objective: log-probabilities, loss and gradients on ONNX
 * Runtime, then gradient clipping and AdamW on the model's own tensors, so that
 * the next generation uses the new ones without any copy.
 *
 * `accumulate` adds the gradients of a batch to those already there, `apply`
 * makes one optimizer step with all of them; `step` is both.
 */
export class ModelUpdate {
  private gradients = new Map<string, Float32Array>();
  /** For {@link evaluate}, once it is needed. */
  private forward: BatchGraph | null = null;

  private constructor(
    private readonly model: CausalLM,
    private readonly objective: Objective,
    private readonly settings: OptimizerSettings,
    private readonly temperature: number,
    private readonly training: BatchGraph,
    private readonly optimizer: AdamW,
  ) {}

  /** Builds the graphs for a model: for its adapter where it has one, else for all of its weights. */
  static async create(model: CausalLM, { objective, temperature = 1, ...given }: ModelUpdateOptions): Promise<ModelUpdate> {
    const settings = { ...OPTIMIZER_DEFAULTS, ...given };
    if (!(temperature > 0)) throw new Error(`temperature must be positive for training, not ${temperature}`);
    const training = await batchGraph(updateGraph(model, objective, temperature));
    const optimizer = new AdamW(model.trainableParameters(), {
      beta1: settings.adamBeta1,
      beta2: settings.adamBeta2,
      epsilon: settings.adamEpsilon,
      weightDecay: settings.weightDecay,
    });
    return new ModelUpdate(model, objective, settings, temperature, training, optimizer);
  }

  /** Adds the gradients of a batch. Where it fails or is aborted, all gathered gradients are dropped. */
  async accumulate(batch: TokenBatch, { signal }: { signal?: AbortSignal } = {}): Promise<BatchOutcome> {
    try {
      return await this.runBatch(this.training, batch, signal);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** What the objective says of a batch, without learning from it. */
  async evaluate(batch: TokenBatch, { signal }: { signal?: AbortSignal } = {}): Promise<BatchOutcome> {
    this.forward ??= await batchGraph(updateGraph(this.model, this.objective, this.temperature, { backward: false }));
    return this.runBatch(this.forward, batch, signal);
  }

  private async runBatch(graph: BatchGraph, batch: TokenBatch, signal?: AbortSignal): Promise<BatchOutcome> {
    checkBatch(batch, this.objective, this.model.maxSeqLength);
    const outcome: BatchOutcome = { loss: 0, tokens: {} };
    for (let prompt = 0; prompt < batch.promptIds.length; prompt++) {
      signal?.throwIfAborted();
      const rows = Array.from(batch.promptOf).flatMap((of, i) => (of === prompt ? [i] : []));
      if (rows.length > 0) await this.run(graph, batch, prompt, rows, outcome);
    }
    signal?.throwIfAborted();
    return outcome;
  }

  /**
   * One optimizer step with the gradients gathered so far.
   *
   * @returns their norm before clipping
   * @throws where it is not finite; the gradients are dropped and the model is as it was
   */
  apply(learningRate: number): number {
    const gradNorm = norm(this.gradients);
    if (!Number.isFinite(gradNorm)) {
      this.discard();
      throw new Error('the gradient is not finite, and nothing was changed; a lower learningRate or a smaller maxGradNorm keeps training stable');
    }
    const { maxGradNorm } = this.settings;
    const factor = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (gradNorm + 1e-6)) : 1;
    this.optimizer.step(this.gradients, learningRate, factor);
    this.discard();
    return gradNorm;
  }

  /** `accumulate`, then `apply`. Where it fails, is aborted, or the gradient is not finite, the model is as it was before. */
  async step(batch: TokenBatch, learningRate: number, options: { signal?: AbortSignal } = {}): Promise<BatchOutcome & { gradNorm: number }> {
    const outcome = await this.accumulate(batch, options);
    return { ...outcome, gradNorm: this.apply(learningRate) };
  }

  /** Drops the gradients gathered so far. */
  discard(): void {
    this.gradients = new Map();
  }

  /** Runs the graph for completions of one prompt. */
  private async run({ session, parameters }: BatchGraph, batch: TokenBatch, prompt: number, rows: readonly number[], outcome: BatchOutcome): Promise<void> {
    const group = { promptIds: batch.promptIds[prompt], completionIds: rows.map((i) => batch.completionIds[i]) };
    const tokens = Object.fromEntries(this.objective.inputs.map((name) => [name, rows.map((i) => batch.tokens[name][i])]));
    const feeds = groupFeeds(group);
    const outputs = await session.run({ ...parameters.feeds(), ...feeds, ...objectiveFeeds(group.completionIds, tokens) });
    for (const name of parameters.trainable.keys()) addTo(this.gradients, name, outputs[`gradient ${name}`].data);
    outcome.loss += outputs.loss.data[0];
    for (const [output, { data }] of Object.entries(outputs)) {
      if (!output.startsWith('token ')) continue;
      const perCompletion = (outcome.tokens[output.slice('token '.length)] ??= []);
      let start = 0;
      for (const i of rows) perCompletion[i] = data.slice(start, (start += batch.completionIds[i].length));
    }
  }

  /** Steps made and moments, for checkpoints: the optimizer's own tensors. */
  state(): OptimizerState {
    return this.optimizer.state();
  }

  /** Goes on from a saved state, whose tensors it takes over; the model's weights are loaded apart from it. */
  load(state: OptimizerState): void {
    this.optimizer.load(state);
  }

  /** Frees what it holds outside JavaScript; it cannot be used afterwards. */
  async dispose(): Promise<void> {
    await this.training.session.release();
    await this.forward?.session.release();
  }
}

/** A graph of the objective, ready to run. */
interface BatchGraph {
  session: GraphSession;
  parameters: GraphParameters;
}

async function batchGraph({ graph, parameters }: ReturnType<typeof updateGraph>): Promise<BatchGraph> {
  return { session: await GraphSession.create(graph), parameters };
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

function checkBatch(batch: TokenBatch, objective: Objective, maxSeqLength: number): void {
  checkSequences(batch, maxSeqLength);
  for (const name of objective.inputs) {
    if (!batch.tokens[name]) throw new Error(`the batch has no "${name}"; the objective needs ${objective.inputs.join(', ')}`);
    checkPerToken(name, batch.tokens[name], batch.completionIds);
  }
}

/** Refuses prompts and completions that a model cannot be trained on. */
export function checkSequences({ promptIds, completionIds, promptOf }: Omit<TokenBatch, 'tokens'>, maxSeqLength: number): void {
  const count = completionIds.length;
  if (count === 0) throw new Error('a batch needs at least one completion');
  if (promptOf.length !== count) throw new Error(`promptOf has ${promptOf.length} entries for ${count} completions`);
  completionIds.forEach((ids, i) => {
    const prompt = promptIds[promptOf[i]];
    if (!prompt || prompt.length === 0) throw new Error(`completion ${i} answers prompt ${promptOf[i]}, which is not there or empty`);
    if (ids.length === 0) throw new Error(`completion ${i} is empty; it needs at least its end token`);
    const length = prompt.length + ids.length;
    if (length > maxSeqLength) throw new Error(`completion ${i} with its prompt has ${length} tokens, more than maxSeqLength (${maxSeqLength})`);
  });
}

/** Refuses values that are not one per token of each completion. */
export function checkPerToken(name: string, rows: readonly ArrayLike<number>[], completionIds: TokenBatch['completionIds']): void {
  if (rows.length !== completionIds.length) throw new Error(`${name} has ${rows.length} entries for ${completionIds.length} completions`);
  completionIds.forEach((ids, i) => {
    if (rows[i].length !== ids.length) throw new Error(`${name}[${i}] has ${rows[i].length} entries for ${ids.length} tokens`);
  });
}
