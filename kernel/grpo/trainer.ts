import { display } from '../display';
import type { ReferenceReturns } from '../environments/reference';
import type { RolloutEnvironment } from '../environments/environment';
import type { CausalLM } from '../models/causalLM';
import { GgufModel } from '../models/gguf/model';
import { OpenEnvError } from '../openenv/errors';
import type { Tokenizer } from '../models/tokenizer';
import { recentRollouts } from '../rewards/recent';
import { rewardRegistry } from '../rewards/registry';
import type { RewardFunction, Sample } from '../rewards/sample';
import { RewardError, type RewardTable, type WeightedReward } from '../rewards/scoring';
import type { TrainerCallback } from '../training/callbacks';
import { NAMES_OF_STATES, type Metrics } from '../training/metricsBuffer';
import { deriveSeed } from '../training/seeds';
import {
  Trainer,
  type Evaluation,
  type RunLength,
  type SavedUpdate,
  type Step,
  type TrainOptions,
  type TrainOutput,
} from '../training/trainer';
import { adviceOnLoss } from './adviceOnLoss';
import { chooseProgram } from './chooseProgram';
import { CompletionsLog } from './completionsLog';
import { resolveConfig, type GRPOConfig, type ResolvedConfig } from './config';
import type { EntropyState } from './entropyControl';
import { evaluatePolicy } from './evaluation';
import { Generations, validationSeedOf, type GenerationContext } from './generations';
import { groupEpisodes, shownEpisodes } from './groupEpisodes';
import { meanMetrics } from './policyMetrics';
import { PlayWatch } from './playWatch';
import {
  completionLimit,
  defaultDataset,
  groupsPerGeneration,
  PromptSource,
  refinedCompletionLimit,
  runLength,
  type TrainRow,
} from './prompts';
import { programSample } from './refine';
import { Programs } from './refinement/programs';
import { rewardsText, weightedRewards } from './rewardFuncs';
import { runReference } from './runReference';
import { runSecret } from './runSecret';
import { checkSavedState } from './savedState';
import { isOffPolicy, microBatchesOf, policyBatch, type CompleteRollouts, type ScoredRollouts } from './scoredRollouts';
import { NoUpdate, type PolicyUpdater } from './noUpdate';

export type { TrainOptions, TrainOutput };

/** What a {@link GRPOTrainer} is made of. */
export interface GRPOTrainerOptions {
  model: CausalLM;
  /** The model's tokenizer. */
  processingClass: Tokenizer;
  /** Where strategies play. Without one the completions are scored as text. */
  env?: RolloutEnvironment | null;
  /** Reward functions, or functions with name and weight. By default those of `rewardRegistry`, replaced ones from the next step on. */
  rewardFuncs?: RewardFunction | Array<RewardFunction | WeightedReward>;
  args?: GRPOConfig;
  /** Rows `{ prompt }`; reward functions see their other columns. By default the environment's `strategyPrompt`, a thousand times. */
  trainDataset?: TrainRow[];
  /** Rows to evaluate on, see `evalStrategy`. */
  evalDataset?: TrainRow[];
  /** Called as the run goes on. */
  callbacks?: TrainerCallback[];
  /** Called after each step. */
  onStep?: (step: StepResult) => void | Promise<void>;
}

/** A completed training step. */
export interface StepResult {
  /** Counted from 1. */
  step: number;
  /** TRL's metrics of this step alone. */
  metrics: Metrics;
  /** All samples of the generations that the step learned from. */
  samples: Sample[];
  rewards: RewardTable;
  /** One per sample. */
  advantages: Float32Array;
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
export class GRPOTrainer extends Trainer<GRPOConfig, ResolvedConfig, PolicyUpdater> {
  readonly env: RolloutEnvironment | null;
  /** The programs that a run with `refinement` has found. */
  readonly programs = new Programs(() => this.generations.search.programs);
  private readonly options: GRPOTrainerOptions;
  private readonly generations = new Generations();
  private readonly completionsLog = new CompletionsLog();
  private readonly playWatch = new PlayWatch();
  private prompts: PromptSource | null = null;
  private evalPrompts: PromptSource | null = null;
  /** What the step under way learns from. */
  private stepRollouts: Array<CompleteRollouts> = [];
  private entropyState: EntropyState | null = null;
  /** Starts and strategies' random numbers follow from it: kept with the run, so that it goes on with the same ones. */
  private ownSecret: string | null = null;
  /** What chance gets where strategies play; undefined until that is measured. */
  private reference: ReferenceReturns | null | undefined;

  constructor(options: GRPOTrainerOptions) {
    super(options);
    const { env, trainDataset } = options;
    if (!env && !trainDataset)
      throw new TypeError('GRPOTrainer needs env (strategies play it) or trainDataset (rows of { prompt }).');
    if (this.given.refinement && !env)
      throw new TypeError('GRPOConfig.refinement needs env: programs are what strategies play it with.');
    this.options = options;
    this.env = env ?? null;
  }

  protected resolve(args?: GRPOConfig): ResolvedConfig {
    const config = resolveConfig(args);
    const advice = adviceOnLoss(config);
    if (advice) console.warn(advice);
    return config;
  }

  protected prepare(): RunLength {
    const { trainDataset = defaultDataset(this.env!), evalDataset } = this.options;
    const settings = { ...this.given, groupsPerGeneration: groupsPerGeneration(this.given) };
    this.prompts = new PromptSource(trainDataset, this.processingClass, settings);
    this.evalPrompts = evalDataset
      ? new PromptSource(evalDataset, this.processingClass, settings, 'evalDataset')
      : null;
    if (this.given.evalStrategy !== 'no' && !evalDataset)
      throw new TypeError("GRPOConfig: evalStrategy needs evalDataset, or leave it 'no'.");
    const longest = Math.max(this.prompts.longest(), this.evalPrompts?.longest() ?? 0);
    const maxCompletionLength = (this.given.refinement ? refinedCompletionLimit : completionLimit)(
      this.given.maxCompletionLength,
      this.model.maxSeqLength,
      longest,
    );
    this.config = { ...this.given, maxCompletionLength };
    this.output.data.rewardNames = this.rewards().map(({ name }) => name);
    if (this.globalStep === 0) recentRollouts.clear();
    return runLength(this.config, this.prompts);
  }

  protected async createUpdate(saved: SavedUpdate | null): Promise<PolicyUpdater> {
    const { PolicyUpdate } = require('./update') as typeof import('./update');
    const { epsilon, epsilonHigh, maxCompletionLength } = this.config;
    const settings = { ...this.config, epsilonHigh: epsilonHigh ?? epsilon, maxCompletionLength: maxCompletionLength! };
    if (this.searchAlone && this.model instanceof GgufModel) return new NoUpdate(settings);
    const update = await PolicyUpdate.create(this.model, settings, saved);
    if (this.entropyState && settings.useAdaptiveEntropy) update.entropyControl.state = this.entropyState;
    return update;
  }

  protected async trainStep(update: PolicyUpdater, { step, totalSteps, learningRate, signal }: Step): Promise<Metrics> {
    const { config } = this;
    await this.measureReference(signal);
    const microBatches = microBatchesOf(step, config);
    const byGeneration = new Map<number, CompleteRollouts>();
    let tokensSeen = this.numInputTokensSeen;
    for (const generation of new Set(microBatches.map((one) => one.generation))) {
      const rollouts = await this.generations.get(
        generation,
        this.generationContext(step, totalSteps, tokensSeen, signal),
      );
      if (!this.searchAlone) await this.fillOldLogprobs(update, rollouts, signal);
      tokensSeen = rollouts.metrics.num_tokens ?? tokensSeen;
      byGeneration.set(generation, rollouts);
    }
    signal.throwIfAborted();
    const batches = microBatches.map(({ generation, slice }) =>
      policyBatch(byGeneration.get(generation)!, slice, deriveSeed(config.seed, 'shuffle', generation), config),
    );
    const updated = this.searchAlone
      ? {}
      : await this.interruptible(update.step(batches, learningRate, { signal }), signal);
    this.stepRollouts = [...byGeneration.values()];
    this.entropyState = update.entropyState;
    const made = this.stepRollouts.map(({ metrics }) => metrics).filter((metrics) => Object.keys(metrics).length > 0);
    const states = Object.entries(made.at(-1) ?? {}).filter(([name]) => NAMES_OF_STATES.has(name));
    return { ...meanMetrics(made), ...Object.fromEntries(states), ...updated };
  }

  /** Nothing is learned: the policy is not looked at again, and what an update would say is not known. */
  private get searchAlone(): boolean {
    return this.config.learningRate === 0;
  }

  /** Marks on the charts what speaks against what was learned from fresh rollouts. */
  private tellPlay(step: number, { entropy }: Metrics): void {
    const made = this.stepRollouts.filter(({ metrics }) => Object.keys(metrics).length > 0);
    if (!this.env || made.length === 0) return;
    const firstEntropy = this.logHistory.find((entry) => entry.entropy !== undefined)?.entropy;
    for (const text of this.playWatch.look(step + 1, made, this.config, { entropy, firstEntropy }))
      this.output.event({ step: step + 1, text });
  }

  private generationContext(
    step: number,
    totalSteps: number,
    tokensSeen: number,
    signal: AbortSignal,
  ): GenerationContext {
    // Whoever looks only when the run is over finds its last group.
    const last =
      microBatchesOf(step, this.config).at(-1)!.generation ===
      microBatchesOf(totalSteps - 1, this.config).at(-1)!.generation;
    const frames = this.output.wantsFrames || last ? shownEpisodes : 0;
    const {
      model,
      processingClass: tokenizer,
      env,
      reference,
      config,
      prompts,
      output,
      state: trainerState,
      secret,
    } = this;
    return {
      model,
      tokenizer,
      env,
      reference,
      config,
      prompts: prompts!,
      rewards: () => this.rewards(),
      output,
      step,
      tokensSeen,
      trainerState,
      frames,
      secret,
      signal,
    };
  }

  private async measureReference(signal: AbortSignal): Promise<void> {
    if (this.reference === undefined) this.reference = await runReference(this.env, this.config, signal);
  }

  /** The sampled log-probabilities are those of the policy, unless sampling bent the distribution. */
  private async fillOldLogprobs(update: PolicyUpdater, rollouts: ScoredRollouts, signal: AbortSignal): Promise<void> {
    const fresh = Object.keys(rollouts.metrics ?? {}).length > 0;
    const bent = this.config.repetitionPenalty !== 1 || this.config.generationKwargs !== null;
    if (fresh && bent && isOffPolicy(this.config)) rollouts.logprobs = await update.logprobs(rollouts, { signal });
  }

  protected override stepDone(step: number, metrics: Metrics): void {
    this.tellPlay(step, metrics);
    const used = this.stepRollouts;
    const shown = used.findLast(({ frames }) => frames.size > 0);
    if (shown) this.output.group(step + 1, groupEpisodes(shown));
    if (used.some(({ samples }) => samples.length > 0)) this.completionsLog.keep(used);
    this.generations.used(
      used.map(({ generation }) => generation),
      microBatchesOf(step + 1, this.config)[0].generation,
    );
  }

  protected override async afterStep(step: number, metrics: Metrics): Promise<void> {
    const used = this.stepRollouts;
    this.stepRollouts = [];
    const names = used[0].table.names;
    await this.options.onStep?.({
      step: step + 1,
      metrics,
      samples: used.flatMap(({ samples }) => samples),
      rewards: {
        names,
        weights: used[0].table.weights,
        values: names.map((_, f) => used.flatMap(({ table }) => table.values[f])),
      },
      advantages: Float32Array.from(used.flatMap(({ advantages }) => Array.from(advantages))),
    });
  }

  /** The winner among the programs is chosen, and shown with its ancestors. */
  protected override async ending(signal: AbortSignal): Promise<void> {
    const { config, env, reference, processingClass, prompts, secret } = this;
    const search = this.generations.search.programs;
    if (!config.refinement || !search || search.database.size === 0) return;
    if (config.refinement.validationEpisodes > 0) {
      const sampleOf = (code: string) =>
        programSample(code, prompts!.at(0), { tokenizer: processingClass, reference, step: this.globalStep });
      const environmentSeedOf = (start: number) => validationSeedOf(secret, config.seed, start);
      const chosen = await chooseProgram({
        search,
        env: env!,
        rewards: this.rewards(),
        sampleOf,
        environmentSeedOf,
        limits: config,
        secret,
        signal,
      });
      this.generations.search.moveOn(chosen);
    }
    display(this.programs.lineage());
  }

  protected override logged({ step }: Metrics): void {
    if (this.config.logCompletions) this.completionsLog.show(step, this.config);
  }

  protected override get canEvaluate(): boolean {
    return this.evalPrompts !== null;
  }

  protected override async evaluation(update: PolicyUpdater, signal: AbortSignal): Promise<Evaluation> {
    if (!this.evalPrompts) throw new TypeError('GRPOTrainer needs evalDataset (rows of { prompt }) to evaluate.');
    await this.measureReference(signal);
    const {
      model,
      processingClass: tokenizer,
      env,
      reference,
      config,
      evalPrompts: prompts,
      globalStep: step,
      numInputTokensSeen: tokensSeen,
      state: trainerState,
      secret,
    } = this;
    return evaluatePolicy({
      model,
      tokenizer,
      env,
      reference,
      config,
      prompts,
      rewards: this.rewards(),
      update,
      step,
      tokensSeen,
      trainerState,
      secret,
      signal,
    });
  }

  private get secret(): string {
    return (this.ownSecret ??= runSecret(this.model));
  }

  private rewards(): WeightedReward[] {
    return weightedRewards(this.options.rewardFuncs ?? rewardRegistry.list(), this.config.rewardWeights);
  }

  override train(options?: TrainOptions): Promise<TrainOutput> {
    if (!this.options.rewardFuncs && rewardRegistry.list().length > 0)
      console.log(rewardsText(rewardRegistry.list(), this.given.rewardWeights));
    return super.train(options);
  }

  protected override saveState(update: PolicyUpdater): Record<string, unknown> {
    return {
      rollouts: this.generations.save(),
      search: this.generations.search.save(),
      entropy: update.entropyState,
      secret: this.secret,
    };
  }

  protected override checkState(saved: Record<string, unknown>): void {
    checkSavedState(saved, this.model.config.vocabSize);
  }

  protected override loadState({ rollouts, search, entropy, secret }: Record<string, any>): void {
    this.generations.load(rollouts);
    this.generations.search.load(search ?? null, this.given);
    this.entropyState = entropy;
    this.ownSecret = secret ?? null;
  }

  protected override reset(): void {
    this.generations.clear();
    this.completionsLog.clear();
    this.playWatch.clear();
    this.stepRollouts = [];
    this.entropyState = null;
    this.ownSecret = null;
  }

  protected override settingsChanged(names: readonly string[]): void {
    const course = [
      'numGenerations',
      'numIterations',
      'perDeviceTrainBatchSize',
      'generationBatchSize',
      'stepsPerGeneration',
      'gradientAccumulationSteps',
      'refinement',
    ];
    if (names.some((name) => course.includes(name))) this.generations.forgetRollouts();
    if (names.includes('refinement')) this.generations.search.configure(this.given);
    if (names.includes('maxEpisodeSteps') || names.includes('measureReference')) this.reference = undefined;
  }

  protected override pausesOn(error: unknown): boolean {
    return error instanceof RewardError || error instanceof OpenEnvError || super.pausesOn(error);
  }
}
