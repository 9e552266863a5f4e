import { randomUUID } from 'node:crypto';
import type { TrainingData } from '../display/mime';
import { TrainingOutput } from '../display/training/training';
import type { RunState } from './checkpoint/runState';
import { MetricsBuffer, type Metrics } from './metricsBuffer';

/** A run of a trainer: where it stands, with its log and its output under the cell. */
export class Run {
  /** Tokens of prompts and completions so far. */
  numInputTokensSeen = 0;

  private constructor(
    readonly output: TrainingOutput,
    /** Metrics of the steps since the last entry of the log. */
    readonly buffer: MetricsBuffer,
  ) {}

  /** Returns a run that has made no step. */
  static start(): Run {
    const data: TrainingData = {
      version: 1,
      runId: randomUUID(),
      status: 'paused',
      step: 0,
      maxSteps: 0,
      rewardNames: [],
      log: [],
      events: [],
    };
    return new Run(new TrainingOutput(data), new MetricsBuffer());
  }

  /** Returns the run that a checkpoint holds. */
  static resume(saved: RunState): Run {
    const { output } = Run.start();
    Object.assign(output.data, {
      runId: saved.run_id,
      step: saved.global_step,
      log: saved.log_history,
      events: saved.events,
    } satisfies Partial<TrainingData>);
    const run = new Run(output, MetricsBuffer.from(saved.pending_metrics));
    run.numInputTokensSeen = saved.num_input_tokens_seen;
    return run;
  }

  /** Returns what a checkpoint keeps of it. */
  save(): Omit<RunState, 'args' | 'state'> {
    const { runId, step, log, events } = this.output.data;
    return {
      run_id: runId,
      global_step: step,
      num_input_tokens_seen: this.numInputTokensSeen,
      log_history: log,
      events,
      pending_metrics: this.buffer.toJSON(),
    };
  }

  /** Steps made. */
  get step(): number {
    return this.output.data.step;
  }

  get log(): Metrics[] {
    return this.output.data.log;
  }

  /** Counts a step. */
  stepMade({ num_tokens }: Metrics): void {
    this.output.data.step++;
    this.numInputTokensSeen = num_tokens ?? this.numInputTokensSeen;
  }

  /** Mean loss over the logged steps. */
  get trainingLoss(): number {
    const losses = this.log.flatMap(({ loss }) => loss ?? []);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }
}
