import { cellContext } from '../display/cellContext';
import type { TrainingStatus } from '../display/mime';
import { progressAt, withProgress } from '../display/progress/progress';
import type { TrainingOutput } from '../display/training/training';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import type { ResolvedArguments, TrainingArguments } from './arguments';
import { dueAfter, newControl, type EventFacts, type TrainerCallback, type TrainerState } from './callbacks';
import { CheckpointError } from './checkpoint/folders';
import { KeptCheckpoint } from './checkpoint/kept';
import { loadCheckpoint } from './checkpoint/load';
import { checkModel } from './checkModel';
import type { CheckpointPlace, UpdateFiles } from './checkpoint/files';
import { transformersState } from './checkpoint/runState';
import { saveCheckpoint } from './checkpoint/save';
import type { Metrics } from './metricsBuffer';
import { abortSource } from './abortSource';
import { RunControls } from './controls';
import { evaluationEntry } from './evaluationEntry';
import { Exclusive } from './exclusive';
import { Run } from './run';
import { learningRateAt } from './scheduler';
import { changedSettings, changeText } from './settings';
import type {
  EvalLoopOutput,
  OwnState,
  RunLength,
  Step,
  StepOutcome,
  TrainerOptions,
  TrainOptions,
  TrainOutput,
} from './trainerParts';
import { lossOf, StateLost } from './stateLost';
import { Tracking } from './tracking/tracking';
import { UpdateInUse } from './updateInUse';

export type * from './trainerParts';
export { StateLost } from './stateLost';

/**
 * A training run: its loop with schedule, log, evaluation, checkpoints,
 * interruption and resumption, the same for every way of training.
 *
 * #### Notes
 * A trainer extends this class and gives it
 * - its settings: what resolves them, to the constructor,
 * - {@link prepare}: its data, and how many steps they make,
 * - {@link createUpdate}: what moves the weights, usually a `ModelUpdate` with its objective,
 * - {@link trainStep}: one step, which leaves the weights as they were where it throws,
 * - where there is more than weights and optimizer to keep: {@link ownState},
 * - where it can evaluate: {@link evaluation}.
 *
 * A step counts once `trainStep` has returned; what follows from it (log,
 * evaluation, checkpoint) is made up for when an interruption comes between.
 * Whatever is random in a step must follow from seed and step alone (see
 * `deriveSeed`): then a run that was interrupted or killed goes on with the
 * same numbers.
 */
export abstract class Trainer<
  Given extends TrainingArguments,
  Config extends ResolvedArguments,
  Update extends { dispose(): Promise<void> },
  Saved,
> {
  readonly model: CausalLM;
  readonly processingClass: Tokenizer;
  readonly callbacks: TrainerCallback[];
  /** The settings as given, and with what {@link prepare} finds out. */
  protected given: Config;
  protected config: Config;
  protected current = Run.start();
  /** State that a checkpoint keeps beside weights, optimizer and log. */
  protected readonly ownState?: OwnState<Update>;
  /** Failures that the user mends and then goes on from. */
  protected readonly pausingErrors: ReadonlyArray<new (...args: never[]) => Error> = [CheckpointError];
  /** Whether running the cell again goes on with a paused run, as that of `@grpo` does. */
  cellResumes = false;
  private readonly controls: RunControls;
  private readonly tracking: TrainerCallback = new Tracking(this);
  private readonly alone = new Exclusive(this.constructor.name);
  private readonly update: UpdateInUse<Update, Saved>;
  private length: RunLength | null = null;
  /** Work that follows from the last step and was not done yet. */
  private due = newControl();
  /** A run has begun: `resumeFromCheckpoint` among the settings is for the first. */
  private begun = false;
  private readonly kept = new KeptCheckpoint(() => this.output);
  /** The run has lost its weights: it goes on from the checkpoint. */
  private isLost = false;

  /**
   * @param resolve returns the settings with their defaults; throws a TypeError for wrong ones
   * @param files how weights and optimizer are kept
   */
  protected constructor(
    { model, processingClass, args, callbacks = [] }: TrainerOptions<Given>,
    private readonly resolve: (args?: Given) => Config,
    private readonly files: UpdateFiles<Update, Saved>,
  ) {
    checkModel(new.target.name, model, processingClass);
    this.model = model;
    this.processingClass = processingClass;
    this.callbacks = callbacks;
    this.given = this.config = resolve(args);
    this.update = new UpdateInUse(files, async (saved, signal) => {
      await this.prepared(signal);
      return withProgress('Building the training graph', 0, () => this.createUpdate(saved, signal));
    });
    this.controls = new RunControls({
      output: () => this.output,
      config: () => this.config,
      save: () => this.alone.run(() => this.save(cellContext().signal)),
      end: () => this.alone.run(() => this.end(cellContext().signal)),
    });
  }

  /** Reads the data, fills in {@link config} what follows from them, and returns how long the run is. Called again after settings changed, and after an interruption. */
  protected abstract prepare(signal: AbortSignal): RunLength | Promise<RunLength>;

  /** @param saved what it goes on from, after a resumption or a change of settings; the model has its weights already */
  protected abstract createUpdate(saved: Saved | null, signal: AbortSignal): Promise<Update>;

  /** Makes a step. Where it throws, the weights are as before. */
  protected abstract trainStep(update: Update, step: Step): Promise<StepOutcome>;

  /** Evaluates the model as it is; called where {@link prepare} has found data for that. */
  protected async evaluation(_update: Update, _signal: AbortSignal): Promise<EvalLoopOutput> {
    throw new TypeError(`${this.constructor.name} cannot evaluate.`);
  }

  /** Called when an entry was added to the log. */
  protected logged(_entry: Metrics): void {}

  /** Called when settings of a paused run have changed: forgets what does not fit them. */
  protected settingsChanged(_names: readonly string[]): void {}

  /** Called after the last step, before the run is finished; again where an interruption comes. */
  protected async finish(_signal: AbortSignal): Promise<void> {}

  protected get output(): TrainingOutput {
    return this.current.output;
  }

  /** The settings, with defaults filled in. */
  get args(): Readonly<Config> {
    return this.given;
  }

  get status(): TrainingStatus {
    return this.output.data.status;
  }

  /** Whether the run paused because a view of it asked for that. */
  get pausedFromView(): boolean {
    return this.status === 'paused' && this.controls.paused;
  }

  /** ID of the run, the same when it goes on later. */
  get runId(): string {
    return this.output.data.runId;
  }

  /** Steps completed. */
  get globalStep(): number {
    return this.current.step;
  }

  /** The logged metrics: TRL's `state.log_history`. */
  get logHistory(): ReadonlyArray<Metrics> {
    return this.current.log;
  }

  /** State of the run: transformers' `TrainerState`. */
  get state(): TrainerState {
    const { step, maxSteps, log } = this.output.data;
    const { numInputTokensSeen } = this.current;
    return { globalStep: step, maxSteps, epoch: this.length?.epochAt(step) ?? 0, numInputTokensSeen, logHistory: log };
  }

  /**
   * Changes settings of a paused run; they hold from its next step. The seed
   * stays, as the run would not be the same.
   *
   * @returns the names of the settings that changed
   */
  async configure(args: Given): Promise<string[]> {
    const next = this.resolve(args);
    if (next.seed !== this.given.seed)
      throw new TypeError(`A paused run keeps its seed. Make a new ${this.constructor.name} to train with another.`);
    const changed = changedSettings(this.given, next);
    if (changed.length === 0) return [];
    const text = changeText(this.given, next);
    this.given = this.config = next;
    this.length = null;
    this.settingsChanged(changed);
    if (this.globalStep > 0) this.output.event({ step: this.globalStep + 1, text });
    await this.update.rebuild(cellContext().signal);
    return changed;
  }

  /** Trains until `maxSteps`, or until it is interrupted; called again after that, goes on. */
  async train(options: TrainOptions = {}): Promise<TrainOutput> {
    return this.alone.run(async () => {
      const abort = abortSource(options.signal ?? cellContext().signal);
      this.controls.begin(abort.abort);
      try {
        if (this.status === 'finished') await this.startAnew();
        const checkpoint = options.resumeFromCheckpoint ?? (!this.begun && this.given.resumeFromCheckpoint);
        if (checkpoint) await this.resume(checkpoint);
        else if (this.isLost) await (this.kept.newest ? this.resume(this.kept.newest.folder) : this.startAnew());
        await this.run(abort.signal);
      } catch (error) {
        const fails = !abort.signal.aborted && !this.pausingErrors.some((kind) => error instanceof kind);
        this.isLost ||= error instanceof StateLost;
        if (fails && !(error instanceof StateLost)) this.output.status('failed');
        else this.output.pause();
        if (error instanceof StateLost) throw lossOf(error, this.globalStep, this.kept.newest);
        if (!abort.signal.aborted) throw error;
      } finally {
        this.controls.end();
        abort.dispose();
      }
      return { status: this.status, globalStep: this.globalStep, trainingLoss: this.current.trainingLoss };
    });
  }

  /**
   * Evaluates the model as it is, and logs the metrics.
   *
   * @returns the metrics, their names with the prefix `eval_`
   */
  async evaluate({ signal }: { signal?: AbortSignal } = {}): Promise<Metrics> {
    return this.alone.run(async () => {
      const abort = abortSource(signal ?? cellContext().signal);
      try {
        await this.prepared(abort.signal);
        await this.update.settled(abort.signal);
        return await this.evaluateAndLog(abort.signal);
      } finally {
        abort.dispose();
      }
    });
  }

  /** Ends the run, and frees the memory of graph and optimizer. The model stays as it is. */
  async dispose(): Promise<void> {
    await this.update.release();
    this.alone.end();
  }

  private async run(signal: AbortSignal): Promise<void> {
    const length = await this.prepared(signal);
    this.output.control = this.controls.apply;
    this.output.begin({
      maxSteps: length.totalSteps,
      saves: this.config.outputDir !== null,
      cellResumes: this.cellResumes,
    });
    await progressAt(this.output.place, () => this.steps(length, signal));
  }

  private async steps(length: RunLength, signal: AbortSignal): Promise<void> {
    const { data } = this.output;
    await this.update.settled(signal);
    await this.update.get(signal);
    if (data.step === 0 && this.config.evalOnStart && length.evaluates && this.logHistory.length === 0)
      this.due.shouldEvaluate = true;
    this.begun = true;
    await this.call('onTrainBegin');
    await this.settle(signal);
    while (data.step < length.totalSteps && !this.controls.stopping) {
      signal.throwIfAborted();
      const stop = await this.makeStep(length, signal);
      if (stop) return this.output.pause();
    }
    await this.end(signal);
  }

  private async end(signal: AbortSignal): Promise<void> {
    await this.finish(signal);
    await this.update.release();
    this.output.status('finished');
    await this.call('onTrainEnd');
  }

  /** @returns whether a callback asked to stop */
  private async makeStep(length: RunLength, signal: AbortSignal): Promise<boolean> {
    const started = performance.now();
    const step = this.globalStep;
    await this.call('onStepBegin');
    const learningRate = learningRateAt(step, length.totalSteps, this.config);
    const update = await this.update.get(signal);
    const { metrics, counted, settled } = await this.trainStep(update, { ...length, step, learningRate, signal });
    // From here on the step counts, whatever happens.
    this.current.stepMade(metrics);
    Object.assign(metrics, { learning_rate: learningRate, step_time: (performance.now() - started) / 1000 });
    this.current.buffer.add({ ...metrics, epoch: this.state.epoch });
    this.due = dueAfter(step + 1, length, this.config);
    this.controls.addTo(this.due);
    counted?.(metrics);
    await this.call('onStepEnd');
    const { shouldTrainingStop } = this.due;
    this.due.shouldTrainingStop = false;
    await this.settle(signal, step + 1 < length.totalSteps && !this.controls.stopping);
    await settled?.(metrics);
    return shouldTrainingStop;
  }

  /** Does what is due. What an interruption or a failure leaves stays due. @param goesOn whether more checkpoints follow */
  private async settle(signal: AbortSignal, goesOn = true): Promise<void> {
    const { due } = this;
    if (due.shouldLog) {
      due.shouldLog = false;
      await this.log({ step: this.globalStep, ...this.current.buffer.flush() });
    }
    if (due.shouldEvaluate) {
      await this.evaluateAndLog(signal);
      due.shouldEvaluate = false;
    }
    if (due.shouldSave) {
      const checkpoint = await (goesOn ? this.kept.attempt(() => this.save(signal)) : this.save(signal));
      due.shouldSave = false;
      if (checkpoint !== null) await this.call('onSave', { checkpoint });
    }
  }

  private async log(entry: Metrics): Promise<void> {
    this.output.log(entry);
    this.logged(entry);
    await this.call('onLog', { metrics: entry });
  }

  private async evaluateAndLog(signal: AbortSignal): Promise<Metrics> {
    const started = performance.now();
    const looked = await this.evaluation(await this.update.get(signal), signal);
    const at = { step: this.globalStep, epoch: this.state.epoch };
    const entry = evaluationEntry(at, looked, (performance.now() - started) / 1000);
    this.output.log(entry);
    await this.call('onEvaluate', { metrics: entry });
    return entry;
  }

  private async call(name: keyof TrainerCallback, more: EventFacts = {}): Promise<void> {
    const { config: args, model, state, due: control } = this;
    for (const one of [...this.callbacks, this.tracking]) await one[name]?.({ args, state, control, model, ...more });
  }

  private async prepared(signal: AbortSignal): Promise<RunLength> {
    return (this.length ??= await this.prepare(signal));
  }

  /** Forgets what belongs to the last run; another one starts, or goes on from a checkpoint. */
  private async startAnew(run = Run.start(), saved: Saved | null = null): Promise<void> {
    await this.update.release();
    this.isLost = false;
    this.kept.newest = null;
    this.current = run;
    this.update.goOnFrom(saved);
    this.due = newControl();
    this.ownState?.clear();
  }

  /** Stops waiting for `work` on interruption. What comes next waits for its end. */
  protected interruptible<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    return this.update.interruptible(work, signal);
  }

  private async save(signal: AbortSignal): Promise<string> {
    const { outputDir, saveTotalLimit } = this.config;
    if (outputDir === null)
      throw new TypeError('A callback asked for a checkpoint, but there is no outputDir to write it to.');
    const update = await this.update.get(signal);
    const parts = {
      write: (place: CheckpointPlace) => this.files.write(update, place),
      trainerState: transformersState(this.state, this.config),
      runState: { ...this.current.save(), args: this.config, state: this.ownState?.save(update) ?? {} },
    };
    const step = this.globalStep;
    const folder = await withProgress('Saving a checkpoint', 0, () => saveCheckpoint(outputDir, parts, saveTotalLimit));
    this.keep(folder, step);
    return folder;
  }

  private keep(folder: string, step: number): void {
    this.kept.keep(folder, step);
    this.controls.saved(folder);
    this.files.kept?.(folder);
  }

  private async resume(from: string | true): Promise<void> {
    const { folder, runState, saved } = await loadCheckpoint(from, this.config.outputDir, {
      read: (path, versions) => this.files.read(path, versions),
      checkState: (state) => this.ownState?.check(state),
    });
    await this.startAnew(Run.resume(runState), saved);
    this.keep(folder, runState.global_step);
    this.ownState?.load(runState.state);
  }
}
