import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { raceAbort } from '../../common/raceAbort';
import { withProgress } from '../../display/progress/progress';
import { WorkerLost } from '../../engines/trl/channel';
import type { HeldModel } from '../../engines/trl/held';
import type { ModelInWorker } from '../../engines/trl/model';
import type { Handlers, StepMetrics, TrlRun } from '../../engines/trl/run';
import type { UpdateFiles } from '../../training/checkpoint/files';
import { StateLost } from '../../training/trainer';
import type { ResolvedConfig } from '../config';
import { atDefault, trlArguments } from './arguments';

/** What a run of TRL's goes on from. */
export interface SavedTrlRun {
  /** Folder of a checkpoint of TRL's. */
  trl: string | null;
  /** A step that was made, but not counted. */
  made: StepMetrics | null;
}

/** How TRL's trainer is started. */
export interface TrlUpdateOptions {
  config: ResolvedConfig;
  totalSteps: number;
  /** Prompts of an evaluation. */
  evalRows: number;
}

const never = new AbortController().signal;

/** Updates a policy in its worker: TRL's trainer, which is started when it is first needed, and again after it failed. */
export class TrlUpdate {
  private run: TrlRun | null = null;
  private starting: Promise<TrlRun> | null = null;
  private readonly folder: string;
  private readonly held: HeldModel;
  private readonly gradientCheckpointing: boolean | null;
  private isFirst = true;

  constructor(
    model: ModelInWorker,
    private readonly options: TrlUpdateOptions,
    private saved: SavedTrlRun,
  ) {
    this.held = model.held;
    this.folder = mkdtempSync(join(this.held.scratch(), 'run-'));
    const wanted = options.config.gradientCheckpointing !== false || model.isGradientCheckpointing;
    // Unsloth has set its own with the adapter.
    this.gradientCheckpointing = wanted ? true : this.held.loading.backend === 'unsloth' ? null : false;
  }

  /** Starts TRL's trainer. Before the first step nothing is lost where that fails. */
  async start(signal: AbortSignal): Promise<void> {
    await this.started(signal);
  }

  /**
   * Makes a step, or finishes the one that was interrupted.
   *
   * @throws the signal's reason when aborted, what a handler throws, WorkerError where the worker could not do it (then the
   * weights are as before), StateLost where it has ended
   */
  async step(handlers: Handlers, signal: AbortSignal): Promise<StepMetrics> {
    const metrics = await this.attempt(signal, (run) =>
      this.isFirst && this.held.loading.backend === 'unsloth'
        ? withProgress('Unsloth compiles the first step, about a minute', 0, () => run.step(handlers, signal))
        : run.step(handlers, signal),
    );
    this.isFirst = false;
    this.held.steps++;
    return metrics;
  }

  /** Computes loss and metrics of completions that are known. */
  async evaluate(handlers: Handlers, signal: AbortSignal): Promise<StepMetrics> {
    // It generates nothing and is soon over: an interruption waits for its end.
    return this.attempt(signal, (run) => run.evaluate(handlers, never));
  }

  /** Writes a checkpoint of TRL's into a folder. */
  async write(folder: string): Promise<void> {
    await this.attempt(never, (run) => run.save(folder, never));
  }

  /** TRL's trainer keeps it itself. */
  get entropyState(): null {
    return null;
  }

  /** Ends the trainer. @returns what another one goes on from */
  async state(): Promise<SavedTrlRun> {
    await this.starting?.catch(() => undefined);
    if (this.run && !this.run.isOver) {
      const { run } = this;
      this.run = null;
      const folder = join(this.place(), 'run');
      const made = await run.stop(folder);
      this.take(existsSync(folder) ? folder : this.saved.trl, made);
    }
    return this.saved;
  }

  async dispose(): Promise<void> {
    await this.starting?.catch(() => undefined);
    const { run } = this;
    this.run = null;
    await run?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A new folder for a run that goes on later, in this update or the next. */
  private place(): string {
    return mkdtempSync(join(this.held.scratch(), 'suspended-'));
  }

  /** What the next run goes on from, in the place of what the last one did. */
  private take(trl: string | null, made: StepMetrics | null): void {
    const before = this.saved.trl;
    this.saved = { trl, made };
    if (before !== null && before !== trl && before.startsWith(this.held.scratch()))
      rmSync(dirname(before), { recursive: true, force: true });
  }

  /** Returns the trainer. An interruption does not wait until it has started, what follows does. */
  private started(signal: AbortSignal): Promise<TrlRun> {
    if (this.run) return Promise.resolve(this.run);
    this.starting ??= this.startRun().finally(() => {
      this.starting = null;
    });
    return raceAbort(this.starting, signal);
  }

  private async startRun(): Promise<TrlRun> {
    const { config, totalSteps, evalRows } = this.options;
    const { trl, made } = this.saved;
    const outputDir = join(this.folder, 'output');
    const options = {
      args: trlArguments(config, { totalSteps, outputDir, gradientCheckpointing: this.gradientCheckpointing }),
      atDefault: atDefault(config),
      evalRows,
      ...(config.targetKl !== null && { targetKl: config.targetKl }),
      rescue: join(this.folder, 'rescued'),
      ...(trl !== null && { resumeFrom: trl }),
    };
    rmSync(options.rescue, { recursive: true, force: true });
    const suspend = async (): Promise<void> => void (await this.state());
    this.run = await withProgress("Starting TRL's trainer", 0, () => this.held.train(options, { made, suspend }));
    this.saved = { ...this.saved, made: null };
    return this.run;
  }

  private async attempt<T>(signal: AbortSignal, work: (run: TrlRun) => Promise<T>): Promise<T> {
    let run: TrlRun | null = null;
    try {
      run = await this.started(signal);
      return await work(run);
    } catch (error) {
      if (run?.isOver) this.fallBack();
      throw error instanceof WorkerLost ? new StateLost(error.message, this.held.restored) : error;
    }
  }

  /** The trainer has failed: another one goes on from what it saved then. */
  private fallBack(): void {
    this.run = null;
    const rescued = join(this.folder, 'rescued');
    if (!existsSync(rescued)) return;
    const folder = join(this.place(), 'run');
    renameSync(rescued, folder);
    this.take(folder, null);
  }
}

/** How runs in a worker are kept: TRL writes and reads its own checkpoints. */
export function trlFiles({ held }: ModelInWorker): UpdateFiles<TrlUpdate, SavedTrlRun> {
  return {
    state: (update) => update.state(),
    async write(update, { folder }) {
      await update.write(folder);
      return {};
    },
    async read(folder) {
      if (existsSync(join(folder, SCHEDULER))) return { trl: folder, made: null };
      throw new Error("a run in this process has written it: load the model with backend: 'onnx' to go on");
    },
    kept: (folder) => {
      held.checkpoint = folder;
    },
  };
}

/** A file that a checkpoint of TRL's has, and one of this process has not. */
const SCHEDULER = 'scheduler.pt';
