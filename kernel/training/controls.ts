import type { TrainingControl } from '../display/mime';
import type { TrainingOutput } from '../display/training/training';
import type { ResolvedArguments } from './arguments';
import type { TrainerControl } from './callbacks';

/** What {@link RunControls} needs of its trainer. */
export interface ControlledRun {
  output(): TrainingOutput;
  config(): Pick<ResolvedArguments, 'outputDir' | 'saveStrategy'>;
  /** Writes a checkpoint of a paused run. */
  save(): Promise<unknown>;
  /** Ends a paused run. */
  end(): Promise<void>;
}

/** What views ask of a run with their buttons: a pause, its end, a checkpoint. */
export class RunControls {
  /** Whether the run paused because a view asked for it. */
  paused = false;
  /** Whether the run is to end after the step that is under way. */
  stopping = false;
  private saving = false;
  private abort: (() => void) | null = null;

  constructor(private readonly run: ControlledRun) {}

  /** Takes notice that the run goes on. @param abort interrupts it */
  begin(abort: () => void): void {
    Object.assign(this, { paused: false, stopping: false, saving: false, abort });
  }

  /** Takes notice that the run stands still. */
  end(): void {
    this.abort = null;
  }

  /** Does what a view asks for, at once or after the step that is under way. */
  readonly apply = (control: TrainingControl): void => {
    const { status } = this.run.output().data;
    if (status !== 'running' && status !== 'paused') return;
    if (control === 'pause') this.pause();
    else if (control === 'stop') this.stop();
    else if (control === 'save') this.save();
  };

  /** Adds what was asked for to what follows from a step. */
  addTo(due: TrainerControl): void {
    const { outputDir, saveStrategy } = this.run.config();
    if (this.saving || (this.stopping && outputDir !== null && saveStrategy !== 'no')) due.shouldSave = true;
  }

  /** Tells the views of a checkpoint that they asked for. */
  saved(folder: string): void {
    if (this.saving) this.run.output().notice(`Saved as ${folder}`);
    this.saving = false;
  }

  private pause(): void {
    if (!this.abort) return;
    this.paused = true;
    this.abort();
  }

  private stop(): void {
    this.stopping = true;
    if (this.abort) this.run.output().notice('Ends after this step');
    else this.beside(this.run.end());
  }

  private save(): void {
    const output = this.run.output();
    if (this.run.config().outputDir === null)
      return output.notice("There is no folder for checkpoints: set outputDir, for example outputDir: 'outputs'");
    this.saving = true;
    if (this.abort) output.notice('A checkpoint is written after this step');
    else this.beside(this.run.save());
  }

  /** Tells of a failure of what is done while no cell runs. */
  private beside(work: Promise<unknown>): void {
    work.catch((error: Error) => {
      this.saving = false;
      this.run.output().notice(error.message);
    });
  }
}
