import { raceAbort } from '../../common/raceAbort';
import { WorkerError, type Answer, type Channel, type CommandMore, type Listener } from './channel';
import { type Message, type Part, ragged, unragged } from './protocol';

/** A training run is about to train or to evaluate. */
export type Mode = 'train' | 'eval';

/** What the completions of a generation are worth. */
export interface Worth {
  /** Reward functions: the columns of `rewards`. */
  names: readonly string[];
  weights: readonly number[];
  /** [completions, functions] row by row; NaN where a function does not apply. */
  rewards: Float32Array;
  /** One per completion. */
  advantages: Float32Array;
}

/** Who answers what TRL's trainer asks within a step; `generation` is the number of it in the run, from 0. */
export interface Handlers {
  /** Returns the token ids of a prompt for each group, and where they are known already the completions of all. */
  prompts(mode: Mode, groups: number, generation: number): Promise<{ prompts: number[][]; completions?: number[][] }>;
  /** Plays and scores completions, group after group: what they are worth. */
  score(mode: Mode, ids: number[][], generation: number): Promise<Worth>;
}

/** What a run is started with. */
export interface RunOptions {
  /** Settings of TRL's `GRPOConfig`, by its names. */
  args: Record<string, unknown>;
  /** Names among them that may be left out where TRL does not know them. */
  atDefault?: string[];
  /** How far a step may move the policy, in nats per token; by default as far as the optimizer does. */
  targetKl?: number;
  /** Groups that an evaluation asks prompts for. */
  evalRows?: number;
  /** Folder of a checkpoint of TRL's to go on from. */
  resumeFrom?: string;
  /** Where a checkpoint of TRL's is saved when a step fails. */
  rescue?: string;
}

/** Metrics of a step by TRL's names. */
export type StepMetrics = Record<string, number>;

/** A request that waits for its answer. */
interface Asked {
  message: Message;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** TRL's names of its metrics are kept; these say how the whole run went, not a step. */
const NOT_OF_A_STEP = [
  'epoch',
  'train_runtime',
  'train_samples_per_second',
  'train_steps_per_second',
  'total_flos',
  'train_loss',
];

/**
 * A run of TRL's trainer in a worker, taken step by step: TRL owns the loop,
 * and waits before each step until {@link step} is called. A step whose wait
 * is aborted goes on in the worker as far as it can without an answer; the
 * next call of {@link step} finishes it.
 */
export class TrlRun {
  private readonly asked: Asked[] = [];
  private wakes: Array<() => void> = [];
  private ended: { error?: unknown } | null = null;
  /** The trainer waits before a step. */
  private ready: Asked | null = null;
  /** A step that was made while nobody waited for it. */
  private made: StepMetrics | null = null;
  /** A command in between that is being done. */
  private command: { resolve(done: Message): void; reject(error: unknown): void; listener: Listener } | null = null;

  /** Whether nothing can be asked of it any more. */
  get isOver(): boolean {
    return this.ended !== null;
  }

  private constructor() {}

  /**
   * Starts TRL's trainer and waits until its first step could begin.
   *
   * @param made what {@link stop} gave of the run that this one goes on with
   */
  static async start(
    channel: Channel,
    options: RunOptions,
    signal: AbortSignal,
    made: StepMetrics | null = null,
  ): Promise<TrlRun> {
    const run = new TrlRun();
    run.made = made;
    const request = (message: Message) =>
      new Promise<Answer>((resolve, reject) => run.ask({ message, resolve, reject }));
    const message = (said: Message) => run.said(said);
    channel.command('train', { rows: 1024, ...options }, { listener: { request, message } }).then(
      () => run.end({}),
      (error) => run.end({ error }),
    );
    await run.untilReady({}, signal);
    return run;
  }

  /**
   * Makes a step, or finishes the one that was interrupted.
   *
   * @returns TRL's metrics of it
   * @throws the signal's reason when aborted, what a handler throws, and the worker's error
   */
  async step(handlers: Handlers, signal: AbortSignal): Promise<StepMetrics> {
    if (this.made) {
      const { made } = this;
      this.made = null;
      return made;
    }
    this.go({});
    const { metrics } = await this.untilReady(handlers, signal);
    return stepMetrics(metrics);
  }

  /** Evaluates between two steps. @returns TRL's metrics, their names with the prefix `eval_` */
  async evaluate(handlers: Handlers, signal: AbortSignal): Promise<StepMetrics> {
    this.go({ evaluate: true });
    const { metrics } = await this.untilReady(handlers, signal);
    return stepMetrics(metrics);
  }

  /** Saves a checkpoint of TRL's between two steps. */
  async save(folder: string, signal: AbortSignal): Promise<void> {
    this.go({ save: folder });
    await this.untilReady({}, signal);
  }

  /**
   * Ends the run, in the middle of a step, too: of such a step nothing is in the weights.
   *
   * @returns the metrics of a step that was made after its wait was aborted: the run that goes on from here begins with them
   */
  async stop(saveTo?: string): Promise<StepMetrics | null> {
    while (!this.ended) {
      if (this.asked.length === 0 && !this.ready) await this.change();
      const next = this.ready ?? this.asked.shift();
      if (next && next !== this.ready && next.message.type === 'ready') this.made = stepMetrics(next.message.metrics);
      next?.resolve({ fields: { stop: true, saveTo } });
      this.ready = null;
    }
    return this.made;
  }

  /** Has the worker do something between two steps, or within one that was interrupted, and waits for it. */
  async do(command: string, fields: Record<string, unknown>, { parts, listener = {} }: CommandMore): Promise<Message> {
    while (!this.ended && !this.ready && this.asked.length === 0) await this.change();
    if (this.ended) throw this.over;
    const waiting = this.ready ?? this.asked.shift()!;
    const isReady = waiting === this.ready;
    this.ready = null;
    const done = new Promise<Message>((resolve, reject) => {
      this.command = { resolve, reject, listener };
    });
    waiting.resolve({ fields: { ...fields, command }, parts });
    const message = await done;
    // What waited asks again, and waits on.
    while (!this.ended && this.asked.length === 0) await this.change();
    if (isReady) this.ready = this.asked.shift() ?? null;
    if (typeof message.error === 'string') throw new WorkerError(message.error, String(message.kind));
    return message;
  }

  private said(message: Message): void {
    if (message.type !== 'done') return this.command?.listener.message?.(message);
    this.command?.resolve(message);
    this.command = null;
  }

  private go(fields: Record<string, unknown>): void {
    this.ready?.resolve({ fields });
    this.ready = null;
  }

  /** Answers requests until the trainer waits before its next step. */
  private async untilReady(handlers: Partial<Handlers>, signal: AbortSignal): Promise<Message> {
    for (;;) {
      signal.throwIfAborted();
      if (this.ended) throw this.over;
      const [next] = this.asked;
      if (!next) {
        await raceAbort(this.change(), signal);
        continue;
      }
      if (next.message.type !== 'ready') {
        // It stays the first in line while it is being answered: an interruption leaves it there. A command in between
        // has it ask again.
        const answer = await raceAbort(answerTo(next.message, handlers), signal);
        this.asked.shift()!.resolve(answer);
        continue;
      }
      this.asked.shift();
      this.ready = next;
      return next.message;
    }
  }

  private ask(asked: Asked): void {
    this.asked.push(asked);
    this.wake();
  }

  private end(ended: { error?: unknown }): void {
    this.ended = ended;
    this.command?.reject(this.over);
    this.wake();
  }

  /** Resolves when something is asked or the run ends. */
  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.wakes.push(resolve);
    });
  }

  private wake(): void {
    for (const wake of this.wakes.splice(0)) wake();
  }

  /** Why nothing can be asked of it any more. */
  private get over(): unknown {
    return this.ended?.error ?? new Error('The run has ended.');
  }
}

async function answerTo(message: Message, handlers: Partial<Handlers>): Promise<Answer> {
  const { mode, groups, generation } = message as Message & { mode: Mode; groups: number; generation: number };
  if (message.type === 'prompts') {
    const { prompts, completions } = await handlers.prompts!(mode, groups, generation);
    const given = completions && ragged(completions);
    return {
      parts: {
        ...ragged(prompts),
        ...(given && { completionIds: given.ids, completionLengths: given.lengths }),
      } as Record<string, Part>,
    };
  }
  const { names, weights, rewards, advantages } = await handlers.score!(mode, unragged(message), generation);
  return { fields: { names, weights }, parts: { rewards, advantages } };
}

function stepMetrics(metrics: unknown): StepMetrics {
  return Object.fromEntries(
    Object.entries(metrics as Record<string, number>).filter(([name]) => !NOT_OF_A_STEP.includes(name)),
  );
}
