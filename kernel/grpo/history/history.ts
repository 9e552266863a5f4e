import { resolve } from 'node:path';
import { shownPath } from '../../common/shownPath';
import { cellContext } from '../../display/cellContext';
import type { TrainingData } from '../../display/mime';
import type { Metrics } from '../../training/metricsBuffer';
import type { ResolvedConfig } from '../config';
import type { Fresh } from '../rollouts/generations';
import { openWriter, type RolloutWriter, type RunFacts } from './writer';

/** The name of the file, in `outputDir`, or in {@link NOTEBOOK_FOLDER}. */
const FILE = 'rollouts.db';
/** The folder beside a notebook for runs without `outputDir`. */
const NOTEBOOK_FOLDER = '.joylab';

/**
 * The rollouts of a run, kept in a file as the run goes on. Where that fails, it says so,
 * the run goes on, and the next step tries again: the disk may have room by then.
 */
export class RolloutHistory {
  /** The file, relative to the folder of the notebook where it is in it; `null` where the rollouts are not kept. */
  path: string | null = null;
  private writer: RolloutWriter | null = null;
  private facts: (() => RunFacts) | null = null;
  private fails = false;
  private limit = 0;

  /** @param tell shows what cannot be kept, in a sentence; `null` once it can */
  constructor(private readonly tell: (problem: string | null) => void) {}

  /** Chooses the file of a run; it is made with the first step. @param facts tells what the file says of the run */
  begin(
    { outputDir, rolloutsTotalLimit }: Pick<ResolvedConfig, 'outputDir' | 'rolloutsTotalLimit'>,
    facts: () => RunFacts,
  ): void {
    const folder = outputDir ?? (cellContext().cell ? NOTEBOOK_FOLDER : null);
    this.close();
    this.fails = false;
    this.limit = rolloutsTotalLimit;
    this.facts = facts;
    this.path = folder !== null && rolloutsTotalLimit > 0 ? shownPath(resolve(folder, FILE)) : null;
  }

  /** Names the file in the output of the run, so that a view finds it. */
  introduce(data: TrainingData): void {
    if (this.path !== null) data.rollouts = this.path;
  }

  /** Keeps what a step has made. */
  keep(step: number, generations: readonly Fresh[], groupSize: number): void {
    if (generations.every(({ samples }) => samples.length === 0)) return;
    this.attempt(step, (writer) =>
      writer.write(
        step,
        generations.map(({ samples, table, advantages, tokens: { logprobs }, extra }) => ({
          samples,
          table,
          advantages,
          logprobs,
          groupSize,
          extra,
        })),
      ),
    );
  }

  /** Keeps an entry of the log. */
  log(entry: Metrics): void {
    if (this.writer) this.attempt(entry.step, (writer) => writer.log(entry));
  }

  /** Closes the file; the next step opens it again. */
  close(): void {
    const { writer } = this;
    this.writer = null;
    try {
      writer?.close();
    } catch {
      // What was written is safe: each step is a transaction.
    }
  }

  private attempt(step: number, work: (writer: RolloutWriter) => void): void {
    if (this.path === null) return;
    try {
      this.writer ??= openWriter(resolve(this.path), this.facts!(), this.limit);
      work(this.writer);
      if (this.fails) this.tell(null);
      this.fails = false;
    } catch (error) {
      this.close();
      if (this.fails) return;
      this.fails = true;
      const { message } = error as Error;
      const what = message.includes(this.path) ? message : `${this.path}: ${message}`;
      this.tell(
        `Rollouts cannot be kept from step ${step} on: ${what}. The run goes on, those of earlier steps stay, and each step tries again; rolloutsTotalLimit: 0 keeps none.`,
      );
    }
  }
}
