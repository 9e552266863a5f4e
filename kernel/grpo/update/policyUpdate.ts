import type { CausalLM } from '../../models/causalLM';
import { LogprobScorer } from '../../training/update/logprobScorer';
import type { ExtraTensors } from '../../training/checkpoint/folders';
import {
  checkPerToken,
  checkSequences,
  ModelUpdate,
  type BatchOutcome,
  type OptimizerState,
  type TokenBatch,
} from '../../training/update/modelUpdate';
import type { SavedUpdate, TrainerUpdate } from '../../training/trainer';
import { EntropyControl, type EntropyState } from './entropyControl';
import { meanMetrics, type UpdateMetrics } from './policyMetrics';
import { policyObjective } from './policyObjective';
import { PreparedStep, type PolicyBatch } from './preparedStep';
import { ReferenceModel } from './referenceModel';
import { updateWithin } from './trustRegion';
import { resolveUpdate, type UpdateOptions, type UpdateSettings } from '../updateSettings';

interface StepOptions {
  signal?: AbortSignal;
}

/** Updates a policy by GRPO: a {@link ModelUpdate} with GRPO's loss, TRL's metrics, the reference model and the entropy bonus. */
export class PolicyUpdate implements TrainerUpdate {
  readonly entropyControl: EntropyControl;
  /** Scores completions with the policy before an update; created when it is first needed. */
  private scorer: LogprobScorer | null = null;

  private constructor(
    private readonly model: CausalLM,
    private readonly settings: UpdateSettings,
    private readonly update: ModelUpdate,
    private readonly reference: ReferenceModel | null,
  ) {
    this.entropyControl = new EntropyControl(settings);
  }

  /**
   * Builds the graphs for a model: for its adapter if it has one, else for all of its weights.
   *
   * @param saved the state to continue from; the model's weights are loaded apart from it
   * @throws TypeError for a wrong setting, or for `syncRefModel` with an adapter
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
      all.beta === 0 ? null : await ReferenceModel.create(model, all.temperature, saved?.extras.get('reference'));
    if (saved) update.load(saved.optimizer);
    return new PolicyUpdate(model, all, update, reference);
  }

  /** Makes one optimizer step with all micro-batches. When it fails or is aborted, or when the gradient is not finite, the model is as before. */
  async step(
    batches: PolicyBatch | PolicyBatch[],
    learningRate: number,
    options: StepOptions = {},
  ): Promise<UpdateMetrics> {
    const step = await this.prepare([batches].flat(), options);
    const outcome = await this.update.accumulate(step.tokens, options);
    const applied = await this.apply(step, outcome, learningRate);
    this.syncReference();
    if (this.entropyControl.enabled) this.entropyControl.update(step.meanEntropy(outcome));
    return { ...this.metrics(step, outcome), ...applied } as UpdateMetrics;
  }

  /** Makes the optimizer's step, or with `targetKl` as much of it as leaves the policy near. It is not aborted half done. */
  private async apply(step: PreparedStep, outcome: BatchOutcome, learningRate: number) {
    const { targetKl } = this.settings;
    if (targetKl === null) return { grad_norm: this.update.apply(learningRate) };
    const scorer = await this.policyScorer();
    const score = async () => (await scorer.scoreBatch(step.sequences)).logprobs;
    // With dropout the outcome is of another policy than the one that samples.
    const old = this.model.adapter?.config.loraDropout ? await score() : outcome.tokens.logprobs;
    let grad_norm = 0;
    const { kl, share } = await updateWithin(targetKl, this.model.trainableParameters(), {
      update: () => void (grad_norm = this.update.apply(learningRate)),
      distance: async () => step.sampledKl(old, await score()),
    });
    return { grad_norm, step_kl: kl, step_share: share };
  }

  /** Returns loss and metrics of a batch, without learning from it. */
  async evaluate(batch: PolicyBatch, options: StepOptions = {}): Promise<Record<string, number>> {
    const step = await this.prepare([batch], options);
    const { entropy_coef, ...metrics } = this.metrics(step, await this.update.evaluate(step.tokens, options));
    return metrics;
  }

  /** Returns the log-probabilities of completions under the current policy: for each a value per token, in nats. */
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

  /** Returns steps and moments of the optimizer, for checkpoints. */
  state(): OptimizerState {
    return this.update.state();
  }

  /** Returns the reference model, for checkpoints. */
  extras(): Map<string, ExtraTensors> {
    return new Map(this.reference ? [['reference', this.reference.state()]] : []);
  }

  /** State of the entropy bonus, for checkpoints. */
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

function checkBatch(batch: PolicyBatch, maxSeqLength: number): void {
  checkSequences(batch, maxSeqLength);
  const { completionIds, advantages, oldLogprobs, mask } = batch;
  const count = completionIds.length;
  if (advantages.length !== count)
    throw new Error(`advantages has ${advantages.length} entries for ${count} completions`);
  if (oldLogprobs) checkPerToken('oldLogprobs', oldLogprobs, completionIds);
  if (mask) checkPerToken('mask', mask, completionIds);
}
