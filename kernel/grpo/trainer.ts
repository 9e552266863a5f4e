import { randomUUID } from 'node:crypto';
import { host } from '../display/host';
import type { TrainingData, TrainingStatus } from '../display/mime';
import { TrainingOutput, type GroupEpisode } from '../display/training';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer';
import { diagnoseSignal } from '../rewards/diagnosis';
import { raceAbort } from '../rewards/raceAbort';
import { recentRollouts } from '../rewards/recent';
import { rewardRegistry } from '../rewards/registry';
import type { RewardFunction, Sample } from '../rewards/sample';
import { RewardError, type RewardTable, type WeightedReward } from '../rewards/scoring';
import { rewardChanges, weightedRewards } from './rewardFuncs';
import type { VectorEnvironment } from '../environments/environment';
import { fractionZeroStd, groupAdvantages } from './advantages';
import { abortSource } from './abort';
import { CheckpointError, loadCheckpoint, saveCheckpoint, type TrainerState } from './checkpoint';
import { collect, scoreAll, type Rollouts } from './collect';
import { changedSettings, changeText, resolveConfig, type GRPOConfig, type ResolvedConfig } from './config';
import { completionMetrics, MetricsBuffer, rewardMetrics, type Metrics } from './metrics';
import { completionLimit, defaultDataset, PromptSource, totalSteps, type TrainRow } from './prompts';
import { learningRateAt } from './scheduler';
import { isScored, restoredRollouts, savedRollouts, type ScoredRollouts } from './scoredRollouts';
import { groupEpisodes, shownEpisodes } from './groupEpisodes';
import { createUpdate, policyBatch } from './policy';
import type { PolicyUpdate } from './update';

/** What a {@link GRPOTrainer} is made of. */
export interface GRPOTrainerOptions {
  model: CausalLM;
  /** The model's tokenizer. */
  processingClass: Tokenizer;
  /** Where strategies play. Without one the completions are scored as text. */
  env?: VectorEnvironment | null;
  /** Reward functions, or functions with name and weight. By default those of `rewardRegistry`, replaced ones from the next step on. */
  rewardFuncs?: RewardFunction | Array<RewardFunction | WeightedReward>;
  args?: GRPOConfig;
  /** Rows `{ prompt }`. By default the environment's `strategyPrompt`, a thousand times. */
  trainDataset?: TrainRow[];
  /** Called after each step. */
  onStep?: (step: StepResult) => void | Promise<void>;
}

/** A completed training step. */
export interface StepResult {
  /** Counted from 1. */
  step: number;
  /** TRL's metrics of this step alone. */
  metrics: Metrics;
  samples: Sample[];
  rewards: RewardTable;
  /** One per sample. */
  advantages: Float32Array;
}

/** Options of {@link GRPOTrainer.train}. */
export interface TrainOptions {
  /** Pauses the run when aborted. By default the interruption of the running cell. */
  signal?: AbortSignal;
  /** Folder of a checkpoint to go on from, or `true` for the newest in `outputDir`. By default the setting of this name, for a new run. */
  resumeFromCheckpoint?: string | boolean;
}

/** What {@link GRPOTrainer.train} returns. */
export interface TrainOutput {
  status: TrainingStatus;
  /** Steps completed. */
  globalStep: number;
  /** Mean loss over the logged steps. */
  trainingLoss: number;
}

/**
 * Group relative policy optimisation, as TRL's trainer of this name: the model
 * writes a group of completions, each plays, reward functions score them, and
 * the model is moved towards those better than their group.
 *
 * #### Notes
 * A run that was paused (by an interrupt, or by a reward function that failed)
 * goes on when {@link train} is called again, with the same numbers as if it
 * had not been interrupted. After a finished run {@link train} starts another
 * on the trained model.
 */
export class GRPOTrainer {
  readonly model: CausalLM;
  readonly processingClass: Tokenizer;
  readonly env: VectorEnvironment | null;
  private readonly options: GRPOTrainerOptions;
  /** The settings as given, and with what follows from model and prompts. */
  private given: ResolvedConfig;
  private config: ResolvedConfig;
  private prompts: PromptSource | null = null;
  private update: PolicyUpdate | null = null;
  private output: TrainingOutput;
  private buffer = new MetricsBuffer();
  private numTokens = 0;
  /** Rollouts that the next update uses: left by an interruption, or by `numIterations` above 1. */
  private current: ScoredRollouts | null = null;
  /** A checkpoint that could not be written. */
  private unsaved = false;
  private usedRewards: WeightedReward[] = [];
  private training = false;
  private disposed = false;
  /** Work that an interruption left going: what follows waits for it. */
  private leftover: Promise<unknown> = Promise.resolve();

  constructor(options: GRPOTrainerOptions) {
    checkOptions(options);
    this.options = options;
    this.model = options.model;
    this.processingClass = options.processingClass;
    this.env = options.env ?? null;
    this.given = this.config = resolveConfig(options.args);
    this.output = new TrainingOutput(newRun());
  }

  /** The settings, with defaults filled in. */
  get args(): Readonly<ResolvedConfig> {
    return this.given;
  }

  get status(): TrainingStatus {
    return this.output.data.status;
  }

  /** Steps completed. */
  get globalStep(): number {
    return this.output.data.step;
  }

  /** The logged metrics: TRL's `state.log_history`. */
  get logHistory(): ReadonlyArray<Metrics> {
    return this.output.data.log;
  }

  /**
   * Changes settings of a paused run; they hold from its next step. The seed
   * stays, as the run would not be the same.
   *
   * @returns the names of the settings that changed
   */
  async configure(args: GRPOConfig): Promise<string[]> {
    const next = resolveConfig(args);
    if (next.seed !== this.given.seed) throw new TypeError('A paused run keeps its seed. Make a new GRPOTrainer to train with another.');
    const changed = changedSettings(this.given, next);
    if (changed.length === 0) return [];
    const text = changeText(this.given, next);
    this.given = this.config = next;
    this.prompts = null;
    if (changed.includes('numGenerations') || changed.includes('numIterations')) this.current = null;
    if (this.globalStep > 0) this.output.event({ step: this.globalStep + 1, text });
    await this.rebuildUpdate();
    return changed;
  }

  /** Trains until `maxSteps`, or until it is interrupted; called again after that, goes on. */
  async train(options: TrainOptions = {}): Promise<TrainOutput> {
    if (this.disposed) throw new Error('This trainer was disposed of. Make a new GRPOTrainer, from a checkpoint if there is one.');
    if (this.training) throw new Error('This trainer is training already: interrupt it first.');
    this.training = true;
    const abort = abortSource(options.signal ?? host().signal);
    try {
      if (this.status === 'finished') await this.startAnew();
      const fresh = this.globalStep === 0 && this.update === null;
      const checkpoint = options.resumeFromCheckpoint ?? (fresh && this.given.resumeFromCheckpoint);
      if (checkpoint) await this.resume(checkpoint);
      await this.run(abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) {
        this.output.status(error instanceof RewardError || error instanceof CheckpointError ? 'paused' : 'failed');
        throw error;
      }
      this.output.status('paused');
    } finally {
      abort.dispose();
      this.training = false;
    }
    return { status: this.status, globalStep: this.globalStep, trainingLoss: this.trainingLoss() };
  }

  /** Ends the run, and frees the memory of graph and optimizer. The model stays as it is. */
  async dispose(): Promise<void> {
    await this.release();
    this.disposed = true;
  }

  private async release(): Promise<void> {
    await this.leftover;
    const { update } = this;
    this.update = null;
    await update?.dispose();
  }

  private async run(signal: AbortSignal): Promise<void> {
    const prompts = this.preparePrompts();
    const total = totalSteps(this.config, prompts.length);
    const { data } = this.output;
    const rewardNames = this.rewards().map(({ name }) => name);
    if (data.step === 0) recentRollouts.clear();
    Object.assign(data, { maxSteps: total, status: 'running', rewardNames } satisfies Partial<TrainingData>);
    this.output.show();
    await raceAbort(this.leftover, signal);
    if (!this.update) await this.interruptible(this.createUpdate(), signal);
    if (this.unsaved) await this.save();
    while (data.step < total) {
      signal.throwIfAborted();
      await this.trainStep(prompts, total, signal);
    }
    await this.release();
    this.output.status('finished');
  }

  private async trainStep(prompts: PromptSource, total: number, signal: AbortSignal): Promise<void> {
    const started = performance.now();
    const step = this.globalStep;
    const rollouts = await this.scoredRollouts(step, prompts, signal);
    const learningRate = learningRateAt(step, total, this.config);
    signal.throwIfAborted();
    const batch = policyBatch(rollouts, rollouts.advantages, this.config);
    const updated = await this.interruptible(this.update!.step(batch, learningRate, { signal }), signal);
    const metrics: Metrics = { ...rollouts.metrics, ...updated, learning_rate: learningRate };
    metrics.step_time = (performance.now() - started) / 1000;
    this.complete(step, total, metrics, rollouts);
    if (this.isSaveStep(step + 1, total)) await this.save();
    const { samples, table, advantages } = rollouts;
    await this.options.onStep?.({ step: step + 1, metrics, samples, rewards: table!, advantages: advantages! });
  }

  /** Rollouts for this step: new ones, or those left from an interruption or an earlier iteration. */
  private async scoredRollouts(step: number, prompts: PromptSource, signal: AbortSignal): Promise<Required<ScoredRollouts>> {
    const generation = Math.floor(step / this.config.numIterations);
    if (this.current?.generation !== generation) {
      const { model, processingClass: tokenizer, env, config } = this;
      // Whoever looks only when the run is over finds its last group.
      const last = generation === Math.floor((this.output.data.maxSteps - 1) / this.config.numIterations);
      const frames = this.output.wantsFrames || last ? shownEpisodes : 0;
      const rollouts = await collect({ model, tokenizer, env, prompts, config, generation, step: step + 1, frames, signal });
      this.current = { ...rollouts, generation };
    }
    if (!isScored(this.current) || this.rewardsChanged(this.current)) await this.score(this.current, step, signal);
    return this.current as Required<ScoredRollouts>;
  }

  /** Whether functions were replaced since an interruption came between the scores and their first use. */
  private rewardsChanged({ metrics }: ScoredRollouts): boolean {
    const unused = Object.keys(metrics ?? {}).length > 0;
    return unused && rewardChanges(this.usedRewards, this.rewards()) !== '';
  }

  private async score(rollouts: ScoredRollouts, step: number, signal: AbortSignal): Promise<void> {
    const rewards = this.takeRewards(step);
    const { table, error } = await scoreAll(rewards, rollouts.samples, signal);
    const { config } = this;
    const advantages = (scores: RewardTable) => groupAdvantages(scores, config);
    recentRollouts.add({ step: step + 1, samples: rollouts.samples, groupSize: config.numGenerations, table: { ...table }, advantages });
    if (error) throw error;
    rollouts.table = table;
    rollouts.advantages = advantages(table);
    rollouts.metrics = this.rolloutMetrics(rollouts, table);
    for (const text of diagnoseSignal(table, rollouts.samples, config.numGenerations)) this.output.note(step + 1, text);
  }

  private rolloutMetrics({ promptIds, promptOf, completionIds, terminated }: Rollouts, table: RewardTable): Metrics {
    const lengths = completionIds.map((ids) => ids.length);
    const tokens = lengths.reduce((sum, length, i) => sum + length + promptIds[promptOf[i]].length, 0);
    return {
      num_tokens: this.numTokens + tokens,
      ...completionMetrics(lengths, terminated),
      ...rewardMetrics(table),
      frac_reward_zero_std: fractionZeroStd(table, this.config),
    };
  }

  /** The step is done: from here on it counts, whatever happens. */
  private complete(step: number, total: number, metrics: Metrics, rollouts: Required<ScoredRollouts>): void {
    this.output.data.step = step + 1;
    this.numTokens = metrics.num_tokens ?? this.numTokens;
    this.buffer.add(metrics);
    if ((step + 1) % this.config.loggingSteps === 0 || step + 1 === total) this.output.log({ step: step + 1, ...this.buffer.flush() });
    if (rollouts.frames.size > 0) this.output.group(step + 1, groupEpisodes(rollouts));
    const usedUp = (step + 1) % this.config.numIterations === 0;
    this.current = usedUp ? null : { ...rollouts, metrics: {}, frames: new Map() };
  }

  /** The reward functions of this step; one that was replaced since the last is marked on the charts. */
  private takeRewards(step: number): WeightedReward[] {
    const rewards = this.rewards();
    if (step > 0 && this.usedRewards.length > 0) {
      const text = rewardChanges(this.usedRewards, rewards);
      if (text) this.output.event({ step: step + 1, text });
    }
    this.usedRewards = rewards;
    this.output.data.rewardNames = rewards.map(({ name }) => name);
    return rewards;
  }

  private rewards(): WeightedReward[] {
    return weightedRewards(this.options.rewardFuncs ?? rewardRegistry.list(), this.config.rewardWeights);
  }

  private preparePrompts(): PromptSource {
    if (this.prompts) return this.prompts;
    const rows = this.options.trainDataset ?? defaultDataset(this.env!);
    const prompts = new PromptSource(rows, this.processingClass, this.config);
    const maxCompletionLength = completionLimit(this.given.maxCompletionLength, this.model.maxSeqLength, prompts.longest());
    this.config = { ...this.given, maxCompletionLength };
    return (this.prompts = prompts);
  }

  private async startAnew(): Promise<void> {
    await this.release();
    this.output = new TrainingOutput(newRun());
    this.buffer = new MetricsBuffer();
    this.numTokens = 0;
    this.current = null;
    this.unsaved = false;
    this.usedRewards = [];
  }

  /** Settings of the update hold from its creation: another is made, with the same optimizer state. */
  private async rebuildUpdate(): Promise<void> {
    await this.leftover;
    if (!this.update) return;
    const state = this.update.state();
    await this.update.dispose();
    await this.createUpdate();
    this.update.load(state);
  }

  private async createUpdate(): Promise<void> {
    this.preparePrompts();
    this.update = await createUpdate(this.model, this.config);
  }

  /** Stops waiting for `work` on interruption. What comes next waits for its end. */
  private interruptible<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    this.leftover = work.catch(() => {});
    return raceAbort(work, signal);
  }

  private isSaveStep(step: number, total: number): boolean {
    return this.config.outputDir !== null && (step % this.config.saveSteps === 0 || step === total);
  }

  private async save(): Promise<void> {
    this.unsaved = true;
    const { outputDir, saveTotalLimit } = this.config;
    const parts = { model: this.model, state: this.state(), optimizer: this.update!.state() };
    await saveCheckpoint(outputDir!, parts, saveTotalLimit);
    this.unsaved = false;
  }

  private state(): TrainerState {
    const { runId, step, maxSteps, log, events } = this.output.data;
    return {
      run_id: runId,
      global_step: step,
      max_steps: maxSteps,
      num_input_tokens_seen: this.numTokens,
      log_history: log,
      events,
      pending_metrics: this.buffer.toJSON(),
      args: this.config,
      rollouts: this.current && isScored(this.current) ? savedRollouts(this.current) : null,
    };
  }

  private async resume(from: string | true): Promise<void> {
    const { state, optimizer } = await loadCheckpoint(from, this.config.outputDir, this.model);
    await this.startAnew();
    this.current = state.rollouts && restoredRollouts(state.rollouts);
    this.numTokens = state.num_input_tokens_seen;
    this.buffer = MetricsBuffer.from(state.pending_metrics);
    const { data } = this.output;
    Object.assign(data, { runId: state.run_id, step: state.global_step, log: state.log_history, events: state.events });
    await this.createUpdate();
    this.update!.load(optimizer);
  }

  private trainingLoss(): number {
    const losses = this.logHistory.flatMap(({ loss }) => loss ?? []);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }
}

function newRun(): TrainingData {
  return { version: 1, runId: randomUUID(), status: 'paused', step: 0, maxSteps: 0, rewardNames: [], log: [], events: [] };
}

function checkOptions({ model, processingClass, env, trainDataset }: GRPOTrainerOptions): void {
  if (typeof model?.generate !== 'function') throw new TypeError('GRPOTrainer needs a model: the one that FastLanguageModel.fromPretrained gave.');
  if (typeof processingClass?.encode !== 'function') throw new TypeError("GRPOTrainer needs the model's tokenizer as processingClass.");
  if (!env && !trainDataset) throw new TypeError('GRPOTrainer needs env (strategies play it) or trainDataset (rows of { prompt }).');
}
