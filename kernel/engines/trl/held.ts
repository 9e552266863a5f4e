import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { raceAbort } from '../../common/raceAbort';
import { cellContext } from '../../display/cellContext';
import { withStages } from '../../display/progress/stages';
import { WorkerLost, type CommandMore } from './channel';
import { workerProgram, type Launch } from './launch';
import type { Message } from './protocol';
import { TrlRun, type RunOptions, type StepMetrics } from './run';
import { Worker } from './worker';

/** What a worker is to load, by the names of `joylab_worker/loading.py`. */
export interface Loading {
  backend: 'trl' | 'unsloth';
  /** Folder of the model, and of its adapter where it has one. */
  folder: string;
  adapter: string | null;
  /** Folder of the worker's machine that has the model's weights, where `folder` has only what is read here. */
  there?: string | null;
  maxSeqLength: number;
  loadIn4bit: boolean;
  loadIn8bit: boolean;
  dtype: string | null;
  initWeights: 'pretrained' | 'random';
  seed: number;
  /** What is passed to transformers or Unsloth as it is. */
  passedOn: Record<string, unknown>;
}

/** What a worker tells of its model. */
export interface About {
  parameters: number;
  trainable: number;
  bytes: number;
  dtype: string;
  device: string;
  /** Linear layers: name, outputs, inputs. */
  linear: Array<[string, number, number]>;
  /** Parameters that hold all experts of a layer: name, experts, and the sizes of each. */
  experts: Array<[string, number, number, number]>;
  versions: Record<string, string>;
  /** How much is held in 4 or 8 bits, in a sentence. */
  note: string | null;
}

/** A new adapter, as PEFT's or Unsloth's function of it takes it. */
export interface NewAdapter {
  lora: Record<string, unknown>;
  randomState: number;
  gradientCheckpointing?: boolean | 'unsloth';
}

/** Of what is not left half done. */
const never = new AbortController().signal;

/**
 * A model in a worker, and what the kernel wants of it. The worker is started
 * when it is first needed, and again after it was lost.
 */
export class HeldModel {
  private worker: Worker | null = null;
  private last: Promise<unknown> = Promise.resolve();
  private run: TrlRun | null = null;
  /** Ends the run so that it can go on later. */
  private suspend: () => Promise<void> = async () => {};
  private known: About | null = null;
  /** The adapter that the model has; of one that was loaded with it nothing is noted. */
  private adapter: NewAdapter | null = null;
  /** The worker has the adapter. */
  private isAdapted = false;
  /** Counts adapters: one that was replaced is not in the worker any more. */
  adapters = 0;
  private folder: string | null = null;
  /** Steps that were trained. */
  steps = 0;
  /** Folder from which a new worker takes what the last one has learned. */
  checkpoint: string | null = null;

  constructor(
    readonly loading: Loading,
    readonly launch: Launch,
  ) {}

  /** What the worker tells of the model, once it has loaded it. */
  get about(): About {
    return this.known!;
  }

  /** A configuration of accelerate says it when they have started. */
  get numProcesses(): number {
    return this.worker?.channel.processes ?? this.launch.numProcesses;
  }

  /** Of the process that holds the model; of several, the main one. */
  get pid(): number | null {
    return this.worker?.pid ?? null;
  }

  /** Whether the worker that held the model has ended. */
  get isLost(): boolean {
    return this.worker?.channel.lost != null;
  }

  /** Loads the model. */
  async load(): Promise<void> {
    await this.inTurn(() => this.ready(cellContext().signal));
  }

  /** The model gets a new adapter, before anything else is done with it. */
  adapt(adapter: NewAdapter): void {
    Object.assign(this, { adapter, isAdapted: false, checkpoint: null, adapters: this.adapters + 1 });
  }

  /**
   * Has the worker do something, also in the middle of a training run.
   *
   * @throws WorkerError with what it cannot do, WorkerLost where it has ended
   */
  do(command: string, fields: Record<string, unknown> = {}, more: CommandMore = {}): Promise<Message> {
    return this.inTurn(async () => {
      try {
        if (this.run && !this.run.isOver && this.isAdapted) return await this.run.do(command, fields, more);
        const { channel } = await this.ready(cellContext().signal);
        return await channel.command(command, fields, more);
      } catch (error) {
        if (!(error instanceof WorkerLost)) throw error;
        throw new WorkerLost(
          `${error.message}\nUse the model again, and another worker holds it, with ${this.restored}.`,
        );
      }
    });
  }

  /** Bytes of its GPU's memory that each process used at most, and that a GPU has; 0 without one. `reset` begins anew. */
  async memory(reset = false): Promise<{ peaks: number[]; total: number }> {
    const { peaks, total } = await this.do('memory', { reset });
    return { peaks: peaks as number[], total: Number(total) };
  }

  /** Asks what is being done to end early, as far as it can. */
  cancel(): void {
    this.worker?.channel.cancel();
  }

  /**
   * Starts a training run. There is one at a time.
   *
   * @param suspend called where another use of the model ends it, so that it can go on later
   */
  train(
    options: RunOptions,
    { made, suspend }: { made: StepMetrics | null; suspend: () => Promise<void> },
  ): Promise<TrlRun> {
    return this.inTurn(async () => {
      const { channel } = await this.ready(never);
      this.suspend = suspend;
      return (this.run = await TrlRun.start(channel, options, never, made));
    });
  }

  /** Whether there is a worker. */
  get isOpen(): boolean {
    return this.worker !== null && !this.isLost;
  }

  /** Whether what was learned survives the end of the worker: that of an adapter is kept, that of a whole model is too large. */
  get survives(): boolean {
    return this.steps === 0 || this.adapter !== null || this.loading.adapter !== null;
  }

  /** Ends the worker. Where the model is used again another one is started, with what an adapter has learned; a run goes on, too. */
  close(): Promise<void> {
    return this.inTurn(async () => {
      const { worker } = this;
      if (!worker) return;
      if (!this.isLost) await this.keep(worker);
      this.worker = this.run = null;
      await worker.close();
    });
  }

  /** Keeps what is in the worker alone, and small enough. */
  private async keep({ channel }: Worker): Promise<void> {
    if (this.run && !this.run.isOver) await this.suspend();
    if (this.steps === 0 || !this.survives) return;
    const folder = join(this.scratch(), 'closed');
    await channel.command('save', { folder, method: 'adapter' });
    this.checkpoint = folder;
  }

  /** A folder for what is kept while this process lives. */
  scratch(): string {
    return (this.folder ??= temporaryFolder());
  }

  /** One thing after the other: the worker does one at a time. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work);
    this.last = mine.catch(() => undefined);
    return mine;
  }

  /** Returns the worker, no run under way in it, with the model and its adapter. */
  private async ready(signal: AbortSignal): Promise<Worker> {
    if (this.run && !this.run.isOver) await this.suspend();
    this.run = null;
    if (!this.worker || this.isLost) {
      if (this.isLost) console.warn(`A new worker takes the place of the one that was lost, with ${this.restored}.`);
      this.worker = await this.start(signal);
    }
    if (this.adapter && !this.isAdapted) {
      const { about } = await this.worker.channel.command('adapter', { ...this.adapter });
      this.known = about as About;
      this.isAdapted = true;
    }
    return this.worker;
  }

  /** How the adapter begins. */
  get beginning(): unknown {
    return this.adapter;
  }

  /** What a new worker has, in words. */
  get restored(): string {
    if (this.checkpoint) return `the weights of ${this.checkpoint}`;
    return this.adapter
      ? 'the weights as they were loaded and the adapter as it was made'
      : 'the weights as they were loaded';
  }

  private async start(signal: AbortSignal): Promise<Worker> {
    const { loading } = this;
    if (this.checkpoint && !existsSync(this.checkpoint)) this.checkpoint = null;
    const { checkpoint } = this;
    const saved =
      checkpoint && (hasAdapter(checkpoint) ? { adapter: checkpoint } : { folder: checkpoint, there: null });
    const worker = await withStages('Starting Python', async (say) => {
      const started = await Worker.start({ ...workerProgram(this.launch, loading), signal });
      try {
        const listener = { message: ({ text }: Message) => say(String(text)) };
        const { about } = await raceAbort(
          started.channel.command('load', { ...loading, ...saved }, { listener }),
          signal,
        );
        this.known = about as About;
        return started;
      } catch (error) {
        await started.close();
        throw error;
      }
    });
    this.isAdapted = this.adapter === null || (checkpoint !== null && hasAdapter(checkpoint));
    return worker;
  }
}

function hasAdapter(folder: string): boolean {
  return existsSync(join(folder, 'adapter_config.json'));
}

/** A folder that is removed when this process ends. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'joylab-worker-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
