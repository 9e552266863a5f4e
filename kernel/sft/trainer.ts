import { setImmediate } from 'node:timers/promises';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import { detach, mul, neg, sumAll } from '../onnx/operators/arithmetic';
import { exp } from '../onnx/operators/elementwise';
import type { Objective } from '../training/update/objective';
import { chunks, mean } from '../common/statistics';
import type { TrainerCallback } from '../training/callbacks';
import { tensorFiles } from '../training/checkpoint/files';
import type { Metrics } from '../training/metricsBuffer';
import type { ModelUpdate } from '../training/update/modelUpdate';
import { deriveSeed, permutation } from '../training/seeds';
import {
  Trainer,
  type EvalLoopOutput,
  type RunLength,
  type SavedUpdate,
  type Step,
  type StepOutcome,
} from '../training/trainer';
import { allTokens, batchMetrics, learnedTokens, microBatches, supervisedRunLength, tokenBatch } from './batches';
import { resolveSFTConfig, type ResolvedSFTConfig, type SFTConfig } from './config';
import { tokenizeRow, type Example, type SFTRow } from './dataset';
import { makeRows, type Row } from './packing';

/** Options of {@link SFTTrainer}. */
export interface SFTTrainerOptions {
  model: CausalLM;
  /** The model's tokenizer. */
  processingClass: Tokenizer;
  /** Rows to learn: `{ text }`, `{ prompt, completion }` or `{ messages }`, see {@link SFTRow}. */
  trainDataset: SFTRow[];
  /** Rows to evaluate on, see `evalStrategy`. */
  evalDataset?: SFTRow[];
  args?: SFTConfig;
  /** Returns the text of a row that has other columns. */
  formattingFunc?: (row: SFTRow) => string;
  /** Called during the run, see {@link TrainerCallback}. */
  callbacks?: TrainerCallback[];
}

/** Tokens of a row at most, unless a setting says otherwise (TRL's default). */
const MAX_LENGTH = 1024;

/**
 * Supervised fine-tuning, as TRL's trainer of this name: the model learns to
 * write the texts, completions or conversations of a data set.
 *
 * #### Notes
 * It trains the model's adapter where it has one, else all weights. A run that
 * was paused by an interrupt goes on when {@link train} is called again, with
 * the same numbers as if it had not been interrupted. After a finished run
 * {@link train} starts another on the trained model.
 *
 * Metrics are TRL's: `loss`, `entropy`, `mean_token_accuracy`, `grad_norm`,
 * `learning_rate`, `num_tokens`, `epoch`.
 */
export class SFTTrainer extends Trainer<SFTConfig, ResolvedSFTConfig, ModelUpdate, SavedUpdate> {
  private readonly options: SFTTrainerOptions;
  private rows: Row[] = [];
  private evalRows: Row[] = [];

  constructor(options: SFTTrainerOptions) {
    super(options, resolveSFTConfig, tensorFiles(options.model));
    for (const name of ['trainDataset', 'evalDataset'] as const) {
      const rows = options[name];
      if (rows === undefined && name === 'evalDataset') continue;
      if (!Array.isArray(rows) || rows.length === 0)
        throw new TypeError(
          `SFTTrainer needs ${name} as a list of rows such as { text }, { prompt, completion } or { messages }, and not empty.`,
        );
    }
    this.options = options;
  }

  protected async prepare(signal: AbortSignal): Promise<RunLength> {
    const { trainDataset, evalDataset } = this.options;
    const { evalStrategy, packing, evalPacking } = this.given;
    if (evalStrategy !== 'no' && !evalDataset)
      throw new TypeError("SFTConfig: evalStrategy needs evalDataset, or leave it 'no'.");
    this.config = { ...this.given, maxLength: this.maxLength() };
    this.rows = await this.makeRows(trainDataset, packing, signal);
    this.evalRows = evalDataset ? await this.makeRows(evalDataset, evalPacking ?? packing, signal) : [];
    return { ...supervisedRunLength(this.rows.length, this.config), evaluates: this.evalRows.length > 0 };
  }

  private maxLength(): number | null {
    const { maxLength } = this.given;
    const { maxSeqLength } = this.model;
    if (maxLength && maxLength > maxSeqLength)
      throw new TypeError(
        `SFTConfig: maxLength is ${maxLength}, but the model takes ${maxSeqLength} tokens (its maxSeqLength).`,
      );
    return maxLength === undefined ? Math.min(MAX_LENGTH, maxSeqLength) : maxLength;
  }

  private async makeRows(dataset: readonly SFTRow[], packing: boolean, signal: AbortSignal): Promise<Row[]> {
    const { config, processingClass, options, model } = this;
    const examples: Example[] = [];
    for (const [i, row] of dataset.entries()) {
      // Tokenizing a large data set takes a while: an interrupt must get through.
      if (i % 64 === 63) await setImmediate();
      signal.throwIfAborted();
      examples.push(tokenizeRow(row, i, processingClass, config, options.formattingFunc));
    }
    const order = config.shuffleDataset ? permutation(examples.length, deriveSeed(config.seed, 'rows')) : null;
    const rows = makeRows(
      order ? order.map((i) => examples[i]) : examples,
      config.maxLength!,
      packing ? config.packingStrategy : null,
    );
    const longest = rows.flat().reduce((most, { ids }) => Math.max(most, ids.length), 0);
    if (longest > model.maxSeqLength)
      throw new TypeError(
        `A row has ${longest} tokens, more than the model takes (${model.maxSeqLength}, its maxSeqLength). Give maxLength to cut such rows.`,
      );
    if (rows.length === 0)
      throw new TypeError(
        `No row of the data set has a token to learn within its first ${config.maxLength} tokens (maxLength).`,
      );
    return rows;
  }

  protected async createUpdate(saved: SavedUpdate | null): Promise<ModelUpdate> {
    const { ModelUpdate } =
      require('../training/update/modelUpdate') as typeof import('../training/update/modelUpdate');
    const { lossType, adamBeta1, adamBeta2, adamEpsilon, weightDecay, maxGradNorm, seed, gradientCheckpointing } =
      this.config;
    const objective = supervisedObjective(lossType);
    const update = await ModelUpdate.create(this.model, {
      objective,
      adamBeta1,
      adamBeta2,
      adamEpsilon,
      weightDecay,
      maxGradNorm,
      seed,
      gradientCheckpointing: gradientCheckpointing !== false,
    });
    if (saved) update.load(saved.optimizer);
    return update;
  }

  protected async trainStep(update: ModelUpdate, step: Step): Promise<StepOutcome> {
    return { metrics: await this.interruptible(this.learn(update, step), step.signal) };
  }

  private async learn(update: ModelUpdate, { step, learningRate, signal }: Step): Promise<Metrics> {
    const batches = microBatches(step, this.rows.length, this.config).map((indices) =>
      indices.map((i) => this.rows[i]),
    );
    // Each learned token of the step counts the same, whichever micro-batch it is in.
    const share = 1 / learnedTokens(batches.flat());
    const results: Metrics[] = [];
    for (const rows of batches) {
      const batch = tokenBatch(rows, share);
      results.push(batchMetrics(await update.accumulate(batch, { signal }), batch));
    }
    return {
      ...meanMetrics(results),
      loss: results.reduce((sum, { loss }) => sum + loss, 0),
      grad_norm: update.apply(learningRate),
      num_tokens: this.state.numInputTokensSeen + allTokens(batches.flat()),
    };
  }

  protected override async evaluation(update: ModelUpdate, signal: AbortSignal): Promise<EvalLoopOutput> {
    if (this.evalRows.length === 0) throw new TypeError('SFTTrainer needs evalDataset to evaluate.');
    const results: Metrics[] = [];
    let loss = 0;
    for (const rows of chunks(this.evalRows, this.config.perDeviceEvalBatchSize)) {
      const batch = tokenBatch(rows, 1 / learnedTokens(rows));
      const result = batchMetrics(await update.evaluate(batch, { signal }), batch);
      results.push(result);
      // As transformers: each row counts the same, at the mean of its batch.
      loss += (result.loss * rows.length) / this.evalRows.length;
    }
    const metrics = { ...meanMetrics(results), loss, num_tokens: this.state.numInputTokensSeen };
    return { metrics, samples: this.evalRows.length, batches: results.length };
  }
}

/** Returns the mean of each metric over micro-batches. */
function meanMetrics(results: readonly Metrics[]): Metrics {
  return Object.fromEntries(Object.keys(results[0]).map((name) => [name, mean(results.map((result) => result[name]))]));
}

/**
 * Returns the loss of supervised training as an objective: the weighted sum of negative
 * log-likelihoods. Input `weights`, per token: its share in the mean over all
 * learned tokens of the step, 0 where it is not learned.
 * Output `correct`: 1 where the model finds the token likeliest.
 */
function supervisedObjective(lossType: ResolvedSFTConfig['lossType']): Objective {
  return {
    inputs: ['weights'],
    build({ logprobs, input, isTop1 }) {
      const losses = neg(mul(logprobs, input('weights')));
      return {
        loss: sumAll(lossType === 'dft' ? mul(losses, detach(exp(logprobs))) : losses),
        outputs: { correct: isTop1() },
      };
    },
  };
}
