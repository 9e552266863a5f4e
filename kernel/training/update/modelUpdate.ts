import { defaultsOf, type Resolved } from '../../common/settings';
import { withProgress } from '../../display/progress/progress';
import type { CausalLM } from '../../models/causalLM';
import type { MergedAdapter } from '../../models/lora/mergedAdapter';
import { AdamW, type OptimizerState } from './adamw';
import { optimizerArguments } from '../arguments';
import { GradientSums } from './gradientSums';
import type { Objective } from './objective';
import { planSteps, type Sequences } from './plan';
import { rowsPerRun } from './flops';
import { Runner } from './runner';
import { deriveSeed } from '../seeds';

export type { OptimizerState } from './adamw';

/** Settings of the optimizer, by transformers' names. */
export type OptimizerSettings = Resolved<typeof optimizerArguments>;

/** Settings of a {@link ModelUpdate}. */
export interface ModelUpdateOptions extends Partial<OptimizerSettings> {
  /** The loss that is minimised. */
  objective: Objective;
  /** Logits are divided by it; 1 by default. */
  temperature?: number;
  /** About how many tokens one run computes; by default so many that it takes well under a second. */
  maxRows?: number;
  /** Logits that are held at once, at most; 2²⁴ by default. */
  maxLogits?: number;
  /** Computes what blocks hold for the way back a second time instead: less memory, more time; by default as the model says. */
  gradientCheckpointing?: boolean;
}

/** Completions to learn from. Completions of one prompt share its computation. */
export interface TokenBatch extends Sequences {
  /** The objective's inputs by name: for each completion, one value per token. */
  tokens: Record<string, readonly ArrayLike<number>[]>;
}

/** Loss and outputs of the objective for a batch. */
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
 *
 * #### Notes
 * A batch is cut into runs (see `planSteps`) that are short, so that the
 * process stays responsive, and small, so that what is held between forward and
 * backward fits into little memory. The result does not depend on the cut but
 * for rounding; the same batch gives the same result, bit for bit.
 */
export class ModelUpdate {
  private readonly gradients: GradientSums;
  /** Batches whose gradients were gathered since the last step. */
  private batches = 0;

  private constructor(
    private readonly model: CausalLM,
    private readonly objective: Objective,
    private readonly settings: OptimizerSettings,
    private readonly optimizer: AdamW,
    /** `forward` is for {@link evaluate}. */
    private readonly runners: Record<'training' | 'forward', Runner>,
    private readonly maxRows: number,
    private readonly merged: MergedAdapter | null,
  ) {
    this.gradients = new GradientSums(model.trainableParameters());
  }

  /** Prepares training of a model: of its adapter where it has one, else of all of its weights. */
  static async create(
    model: CausalLM,
    {
      objective,
      temperature = 1,
      maxRows = rowsPerRun(model),
      maxLogits,
      gradientCheckpointing = false,
      ...given
    }: ModelUpdateOptions,
  ): Promise<ModelUpdate> {
    const settings = { ...defaultsOf(optimizerArguments), ...given };
    if (!(temperature > 0)) throw new Error(`temperature must be positive for training, not ${temperature}`);
    const optimizer = new AdamW(model.trainableParameters(), {
      beta1: settings.adamBeta1,
      beta2: settings.adamBeta2,
      epsilon: settings.adamEpsilon,
      weightDecay: settings.weightDecay,
    });
    const { config, adapter } = model;
    // Dropout is between a layer's input and its update: these cannot be merged.
    const merged = adapter?.config.loraDropout ? null : model.mergedAdapter();
    const parameters = { ...model.parameters, merged: merged?.merged };
    const options = {
      config,
      parameters,
      trainable: adapter ? 'adapter' : 'weights',
      objective,
      temperature,
      gradientCheckpointing: gradientCheckpointing || model.isGradientCheckpointing,
    } as const;
    const runners = {
      training: new Runner(options, maxLogits),
      forward: new Runner({ ...options, trainable: 'none' }, maxLogits),
    };
    return new ModelUpdate(model, objective, settings, optimizer, runners, maxRows, merged);
  }

  /** Adds the gradients of a batch. Where it fails or is aborted, all gathered gradients are dropped. */
  async accumulate(batch: TokenBatch, { signal }: { signal?: AbortSignal } = {}): Promise<BatchOutcome> {
    try {
      return await this.run(this.runners.training, batch, this.gradients, signal);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Returns loss and outputs of a batch, without learning from it. */
  evaluate(batch: TokenBatch, { signal }: { signal?: AbortSignal } = {}): Promise<BatchOutcome> {
    return this.run(this.runners.forward, batch, null, signal);
  }

  private async run(
    runner: Runner,
    batch: TokenBatch,
    sums: GradientSums | null,
    signal?: AbortSignal,
  ): Promise<BatchOutcome> {
    checkBatch(batch, this.objective, this.model.maxSeqLength);
    const outcome: BatchOutcome = { loss: 0, tokens: {} };
    const seed = deriveSeed(this.settings.seed, 'dropout', this.optimizer.steps, this.batches);
    if (sums) this.batches++;
    await this.merged?.refresh();
    const steps = planSteps(batch, this.maxRows);
    await withProgress(sums ? 'Computing gradients' : 'Computing losses', steps.length, async (task) => {
      for (const [i, step] of steps.entries()) {
        await runner.run(step, batch, { sums, outcome, seed, signal });
        task.update(i + 1);
      }
    });
    signal?.throwIfAborted();
    return outcome;
  }

  /**
   * Makes one optimizer step with the gradients gathered so far.
   *
   * @returns their norm before clipping
   * @throws where it is not finite; the gradients are dropped and the model is as it was
   */
  apply(learningRate: number): number {
    const gradNorm = this.gradients.norm();
    if (!Number.isFinite(gradNorm)) {
      this.discard();
      throw new Error(
        'the gradient is not finite, and nothing was changed; a lower learningRate or a smaller maxGradNorm keeps training stable',
      );
    }
    const { maxGradNorm } = this.settings;
    const factor = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (gradNorm + 1e-6)) : 1;
    this.optimizer.step(this.gradients.all(), learningRate, factor);
    this.discard();
    return gradNorm;
  }

  /** Calls `accumulate`, then `apply`. Where it fails, is aborted, or the gradient is not finite, the model is as it was before. */
  async step(
    batch: TokenBatch,
    learningRate: number,
    options: { signal?: AbortSignal } = {},
  ): Promise<BatchOutcome & { gradNorm: number }> {
    const outcome = await this.accumulate(batch, options);
    return { ...outcome, gradNorm: this.apply(learningRate) };
  }

  /** Drops the gradients gathered so far. */
  discard(): void {
    this.gradients.clear();
    this.batches = 0;
  }

  /** Returns steps made and moments, for checkpoints: the optimizer's own tensors. */
  state(): OptimizerState {
    return this.optimizer.state();
  }

  /** Goes on from a saved state, whose tensors it takes over; the model's weights are loaded apart from it. */
  load(state: OptimizerState): void {
    this.optimizer.load(state);
  }

  /** Frees what it holds outside JavaScript; it cannot be used afterwards. */
  async dispose(): Promise<void> {
    await this.runners.training.dispose();
    await this.runners.forward.dispose();
  }
}

function checkBatch(batch: TokenBatch, objective: Objective, maxSeqLength: number): void {
  checkSequences(batch, maxSeqLength);
  for (const name of objective.inputs) {
    if (!batch.tokens[name])
      throw new Error(`the batch has no "${name}"; the objective needs ${objective.inputs.join(', ')}`);
    checkPerToken(name, batch.tokens[name], batch.completionIds);
  }
}

/** Refuses prompts and completions that a model cannot be trained on. */
export function checkSequences({ promptIds, completionIds, promptOf }: Sequences, maxSeqLength: number): void {
  const count = completionIds.length;
  if (count === 0) throw new Error('a batch needs at least one completion');
  if (promptOf.length !== count) throw new Error(`promptOf has ${promptOf.length} entries for ${count} completions`);
  completionIds.forEach((ids, i) => {
    const prompt = promptIds[promptOf[i]];
    if (!prompt || prompt.length === 0)
      throw new Error(`completion ${i} answers prompt ${promptOf[i]}, which is not there or empty`);
    if (ids.length === 0) throw new Error(`completion ${i} is empty; it needs at least its end token`);
    const length = prompt.length + ids.length;
    if (length > maxSeqLength)
      throw new Error(`completion ${i} with its prompt has ${length} tokens, more than maxSeqLength (${maxSeqLength})`);
  });
}

/** Refuses values that are not one per token of each completion. */
export function checkPerToken(
  name: string,
  rows: readonly ArrayLike<number>[],
  completionIds: TokenBatch['completionIds'],
): void {
  if (rows.length !== completionIds.length)
    throw new Error(`${name} has ${rows.length} entries for ${completionIds.length} completions`);
  completionIds.forEach((ids, i) => {
    if (rows[i].length !== ids.length)
      throw new Error(`${name}[${i}] has ${rows[i].length} entries for ${ids.length} tokens`);
  });
}
