import { display } from '../display';
import { cellContext } from '../display/cellContext';
import type { ExperimentData } from '../display/experimentMime';
import type { RolloutEnvironment } from '../environments/environment';
import type { ReferenceReturns } from '../environments/reference';
import { WorkerError } from '../engines/trl/channel';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import { OpenEnvError } from '../openenv/errors';
import { diagnoseSignal } from '../rewards/diagnosis';
import type { RecentRollouts } from '../rewards/recent';
import type { RewardFunction } from '../rewards/sample';
import { RewardError, type WeightedReward } from '../rewards/scoring';
import type { TrainerCallback } from '../training/callbacks';
import { CheckpointError } from '../training/checkpoint/folders';
import type { Metrics } from '../training/metricsBuffer';
import {
  Trainer,
  type EvalLoopOutput,
  type OwnState,
  type RunLength,
  type Step,
  type StepOutcome,
  type TrainOptions,
  type TrainOutput,
} from '../training/trainer';
import { recordExperiment } from './experiment/record';
import { experimentOfNotebook } from './experiment/saved';
import { CompletionsLog } from './shown/completionsLog';
import { RolloutHistory } from './history/history';
import { offerReplays } from './history/environments';
import type { RunFacts } from './history/writer';
import { resolveConfig, type GRPOConfig, type Place, type ResolvedConfig } from './config';
import type { StepContext } from './context';
import { evaluateInWorker, evaluatePolicy } from './evaluation';
import { freshOf, Generations, type Scored } from './rollouts/generations';
import { microBatchesOf } from './microBatches';
import { measureReference } from './rollouts/play';
import { ShownSteps } from './shown/shownSteps';
import { PlayWatch } from './playWatch';
import {
  completionLimit,
  defaultDataset,
  groupsPerGeneration,
  PromptSource,
  runLength,
  type TrainRow,
} from './rollouts/prompts';
import { Programs } from './refinement/programs';
import { chooseProgram } from './refinement/validation';
import { rewardChanges, weightedRewards } from './rewardFuncs';
import { trainWith } from './shown/rewardPanel';
import { checkSavedState } from './rollouts/savedState';
import { runSecret } from './rollouts/seeds';
import { Highlights } from './report/highlights';
import { offerReport, type ReportParts } from './report/report';
import { notebook, Session } from './session';
import { createLearner, learnerFiles, type Learner, type SavedLearner } from './learner';
import { grpoStep, trlStep } from './step';
import { stepResult, type TrainingStep } from './trainingStep';
import { placeOf } from './trl/place';
import { TrlUpdate } from './trl/update';
import type { EntropyState } from './update/entropyControl';
import type { PolicyUpdater } from './update/noUpdate';
import { adviceOnLoss } from './update/losses';

export type { TrainingStep, TrainOptions, TrainOutput };

/** Settings by which completions are divided into generations and micro-batches: with others, what was generated does not fit. */
const DIVIDING: readonly string[] = [
  'numGenerations',
  'numIterations',
  'perDeviceTrainBatchSize',
  'generationBatchSize',
  'stepsPerGeneration',
  'gradientAccumulationSteps',
  'refinement',
];

/** Options of {@link GRPOTrainer}. */
export interface GRPOTrainerOptions {
  model: CausalLM;
  /** The model's tokenizer. */
  processingClass: Tokenizer;
  /** The environment that strategies play. Without one the completions are scored as text. */
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
  onStep?: (step: TrainingStep) => void | Promise<void>;
  /** Functions and rollouts that the run shares with others. By default the notebook's, where its reward functions are those of `rewardRegistry`; else the run shares nothing. */
  session?: Session;
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
export class GRPOTrainer extends Trainer<GRPOConfig, ResolvedConfig, Learner, SavedLearner> {
  readonly env: RolloutEnvironment | null;
  /** The programs that a run with `refinement` has found. */
  readonly programs = new Programs(() => this.generations.search.programs);
  /** The rollouts of the newest steps. */
  readonly recentRollouts: RecentRollouts;
  protected override readonly pausingErrors = [CheckpointError, RewardError, OpenEnvError, WorkerError];
  private readonly options: GRPOTrainerOptions;
  private readonly session: Session;
  private readonly generations = new Generations();
  private readonly completionsLog = new CompletionsLog((text) => this.output.problem('completions', text));
  private readonly history = new RolloutHistory((text) => this.output.problem('rollouts', text));
  private readonly playWatch = new PlayWatch();
  private readonly highlights = new Highlights();
  private prompts: PromptSource | null = null;
  private evalPrompts: PromptSource | null = null;
  /** The functions that the newest step was scored with. */
  private usedRewards: WeightedReward[] = [];
  private entropyState: EntropyState | null = null;
  /** Starts and strategies' random numbers follow from it: kept with the run, so that it goes on with the same ones. */
  private ownSecret: string | null = null;
  /** Returns of chance in the environment; undefined until they are measured. */
  private reference: ReferenceReturns | null | undefined;
  private readonly shownSteps = new ShownSteps({ output: () => this.output, env: () => this.env });
  private planned: Omit<RunLength, 'evaluates'> | null = null;

  constructor(options: GRPOTrainerOptions) {
    super(options, (args) => resolve(args, placeOf(options.model)), learnerFiles(options.model));
    const { env, trainDataset, rewardFuncs } = options;
    if (!env && !trainDataset)
      throw new TypeError('GRPOTrainer needs env (strategies play it) or trainDataset (rows of { prompt }).');
    if (this.given.refinement && !env)
      throw new TypeError('GRPOConfig.refinement needs env: programs are what strategies play it with.');
    this.options = options;
    this.session = options.session ?? (rewardFuncs ? new Session() : notebook);
    this.recentRollouts = this.session.rewardRegistry.recentRollouts;
    this.env = env ?? null;
  }

  override async train(options?: TrainOptions): Promise<TrainOutput> {
    const train = () => super.train(options);
    try {
      if (this.options.rewardFuncs) return await train();
      return await trainWith(this.session.rewardRegistry, this.given.rewardWeights, this.output, train);
    } finally {
      this.history.close();
    }
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
    this.config = {
      ...this.given,
      maxCompletionLength: completionLimit(this.given, this.model.maxSeqLength, longest),
    };
    this.output.data.rewardNames = this.rewards().map(({ name }) => name);
    if (this.globalStep === 0) this.recentRollouts.clear();
    this.planned = runLength(this.config, this.prompts);
    this.history.begin(this.config, () => this.runFacts());
    if (this.env) offerReplays(this.env);
    offerReport(this.output, this);
    return { ...this.planned, evaluates: this.evalPrompts !== null };
  }

  protected createUpdate(saved: SavedLearner | null, signal: AbortSignal): Promise<Learner> {
    const { model, config, entropyState } = this;
    const { totalSteps } = this.planned!;
    return createLearner(
      model,
      { config, totalSteps, evalRows: this.evalPrompts?.length ?? 0, entropyState },
      saved,
      signal,
    );
  }

  protected async trainStep(update: Learner, step: Step): Promise<StepOutcome> {
    const { signal } = step;
    this.history.introduce(this.output.data);
    const context = await this.stepContext(
      this.globalStep + 1,
      signal,
      this.shownSteps.of(this.globalStep + 1, this.isLast(step)),
    );
    const { generations, metrics } =
      update instanceof TrlUpdate
        ? await trlStep(step.step, update, this.generations, context)
        : await grpoStep(step.step, step.learningRate, this.patient(update, signal), this.generations, context);
    this.entropyState = update.entropyState;
    return {
      metrics,
      counted: () => {
        this.show(step.step, generations, metrics);
        this.generations.learned(generations, microBatchesOf(step.step + 1, this.config)[0].generation);
      },
      settled: async () => this.options.onStep?.(stepResult(step.step + 1, generations, metrics)),
    };
  }

  /** Returns the update for a step: an interruption does not wait for its end, what follows does. */
  private patient(update: PolicyUpdater, signal: AbortSignal): Pick<PolicyUpdater, 'step' | 'logprobs'> {
    return {
      step: (...args) => this.interruptible(update.step(...args), signal),
      logprobs: (...args) => update.logprobs(...args),
    };
  }

  /** Returns whether no step after this one generates. */
  private isLast({ step, totalSteps }: Step): boolean {
    const newest = (made: number) => microBatchesOf(made, this.config).at(-1)!.generation;
    return newest(step) === newest(totalSteps - 1);
  }

  /** Returns what a step or an evaluation is made with. @param step as samples carry it */
  private async stepContext(
    step: number,
    signal: AbortSignal,
    shown?: ReturnType<ShownSteps['of']>,
  ): Promise<StepContext> {
    if (this.reference === undefined) this.reference = await measureReference(this.env, this.config, signal);
    return {
      model: this.model,
      tokenizer: this.processingClass,
      env: this.env,
      reference: this.reference,
      config: this.config,
      prompts: this.prompts!,
      prompt: this.prompts!.at(0),
      rewards: () => this.rewards(),
      recentRollouts: this.recentRollouts,
      step,
      tokensSeen: this.state.numInputTokensSeen,
      trainerState: this.state,
      ...shown,
      secret: this.secret,
      signal,
    };
  }

  /** Shows what a step has made, and what speaks against it. */
  private show(step: number, generations: readonly Scored[], { entropy }: Metrics): void {
    const fresh = freshOf(generations);
    for (const { rewards, samples, table } of fresh) {
      const changes = step > 0 && this.usedRewards.length > 0 ? rewardChanges(this.usedRewards, rewards) : '';
      if (changes) this.output.event({ step: step + 1, text: changes });
      this.usedRewards = rewards;
      this.output.data.rewardNames = rewards.map(({ name }) => name);
      const ties = diagnoseSignal(table, samples, this.config.numGenerations);
      for (const text of this.playWatch.ties(step + 1, ties)) this.problem(step + 1, text);
    }
    for (const text of this.playWatch.failures(step + 1, fresh)) this.problem(step + 1, text);
    if (this.env && fresh.length > 0) {
      const firstEntropy = this.logHistory.find((entry) => entry.entropy !== undefined)?.entropy;
      const problems = this.playWatch.look(step + 1, fresh, this.config, { entropy, firstEntropy });
      for (const text of [...problems, ...this.playWatch.rewards(step + 1, this.recentRollouts)])
        this.problem(step + 1, text);
    }
    if (generations.some(({ samples }) => samples.length > 0)) this.completionsLog.keep(generations);
    this.history.keep(step + 1, fresh, this.config.numGenerations);
    this.highlights.keep(step + 1, fresh);
  }

  /** Marks a step with what is wrong there. */
  private problem(step: number, text: string): void {
    this.output.event({ step, text, kind: 'problem' });
  }

  protected override logged(entry: Metrics): void {
    this.history.log(entry);
    if (this.config.logCompletions) this.completionsLog.show(entry.step, this.config);
  }

  /** Returns what the database of its rollouts says of the run. */
  private runFacts(): RunFacts {
    const { env, model, processingClass } = this;
    return {
      runId: this.output.data.runId,
      model: model.modelName,
      environment: env?.name ?? null,
      settings: this.given,
      secret: this.secret,
      replays: env?.builtIn ?? false,
      decode: (token) => processingClass.decode([token]),
    };
  }

  protected override async evaluation(update: Learner, signal: AbortSignal): Promise<EvalLoopOutput> {
    if (!this.evalPrompts) throw new TypeError('GRPOTrainer needs evalDataset (rows of { prompt }) to evaluate.');
    const context = { ...(await this.stepContext(this.globalStep, signal)), prompts: this.evalPrompts };
    return update instanceof TrlUpdate ? evaluateInWorker(update, context) : evaluatePolicy(update, context);
  }

  /** What made the numbers of the run, and these; `null` until it has finished. */
  get experiment(): ExperimentData | null {
    return this.output.data.experiment ?? null;
  }

  /** Returns what a report of the run is made of. */
  reportParts(): ReportParts {
    const { env, highlights, programs, reference = null } = this;
    const { data } = this.output;
    return { training: data, experiment: data.experiment ?? this.record(), env, reference, highlights, programs };
  }

  private record(): ExperimentData {
    const { given: config, secret, usedRewards: rewards } = this;
    const rows = this.options.trainDataset ?? defaultDataset(this.env!);
    return recordExperiment({ trainer: this, config, secret, rows, rewards });
  }

  protected override async finish(signal: AbortSignal): Promise<void> {
    await this.chooseWinner(signal);
    this.output.finished(this.record(), experimentOfNotebook(cellContext().cell?.id));
  }

  /** Chooses the winner among the programs, and shows it in their tree and with its ancestors. */
  private async chooseWinner(signal: AbortSignal): Promise<void> {
    const { refinement } = this.config;
    const { search } = this.generations;
    if (!refinement || !search.programs || search.programs.database.size === 0) return;
    if (refinement.validationEpisodes > 0) {
      const context = await this.stepContext(this.globalStep, signal);
      search.moveOn(await chooseProgram(search.programs, context));
    }
    display(this.programs.tree());
    display(this.programs.lineage());
  }

  private get secret(): string {
    return (this.ownSecret ??= runSecret(this.model));
  }

  private rewards(): WeightedReward[] {
    return weightedRewards(this.options.rewardFuncs ?? this.session.rewardRegistry.list(), this.config.rewardWeights);
  }

  protected override readonly ownState: OwnState<Learner> = {
    save: (update) => ({
      rollouts: this.generations.save(),
      search: this.generations.search.save(),
      entropy: update.entropyState,
      secret: this.secret,
    }),
    check: (saved) => checkSavedState(saved, this.model.config.vocabSize),
    load: ({ rollouts, search, entropy, secret }) => {
      this.generations.load(rollouts);
      this.generations.search.load(search ?? null, this.given);
      this.entropyState = entropy;
      this.ownSecret = secret ?? null;
    },
    clear: () => {
      this.generations.clear();
      this.completionsLog.clear();
      this.playWatch.clear();
      this.highlights.clear();
      this.usedRewards = [];
      this.entropyState = null;
      this.ownSecret = null;
    },
  };

  protected override settingsChanged(names: readonly string[]): void {
    if (names.some((name) => DIVIDING.includes(name))) this.generations.forget();
    if (names.includes('refinement')) this.generations.search.configure(this.given);
    if (names.includes('maxEpisodeSteps') || names.includes('measureReference')) this.reference = undefined;
  }
}

function resolve(args: GRPOConfig | undefined, place: Place): ResolvedConfig {
  const config = resolveConfig(args, place);
  const advice = adviceOnLoss(config);
  if (advice) console.warn(advice);
  return config;
}
