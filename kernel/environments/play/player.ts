import { randomInt } from 'node:crypto';
import type { PictureSize } from '../../display/pictures/aspect';
import type { Comm } from '../../display/cellContext';
import type { PlayMessage, PlayViewMessage } from '../../display/mime';
import { keysAction, playKeys, turnKeys } from './keys';
import { recordPlay, type RecordedPlay } from './recorder';

/** An environment that people can play. */
export interface Playable {
  /** Name of the environment, or of its game: "breakout". */
  readonly name: string;
  /** Names of the actions; an action's ID is its index. */
  readonly actions: readonly string[];
  /** 3 bytes (red, green, blue) for each value of a pixel; undefined where frames are SVG. */
  readonly palette?: Uint8Array;
  /** Whether it waits for its player: a step is taken while a key is held or was tapped, and time stands still otherwise. */
  readonly turns?: boolean;
  /** Opens a session of its own. */
  openGame(): Promise<PlayGame>;
  /** Pixels of a frame, and steps per second in real time, or while a key is held. */
  readonly playScreen: PictureSize & { stepsPerSecond: number };
  /** Records an episode, by the IDs of its actions. By default the environment itself is recorded. */
  readonly recorded?: (play: { seed: number; actions: number[] }) => Promise<RecordedPlay | null>;
}

/** A session in which a person plays. */
export interface PlayGame {
  reset(seed: number): Promise<PlayStep>;
  /** @param action the action's ID */
  step(action: number): Promise<PlayStep>;
  /** Returns the current frame: `height × width` palette indices, row by row, or SVG in UTF-8. */
  frame(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The result of a reset or a step. */
export interface PlayStep {
  reward: number;
  /** Lives left, if the environment has lives. */
  lives?: number;
  done: boolean;
}

/** Frames that the view has not acknowledged, at most: several, so that a distant view gets all frames, too. */
const WINDOW = 4;
/** Seconds in real time of the game after which a view that acknowledges nothing is gone: its page was reloaded. */
const UNACKNOWLEDGED = 60;

/** Plays for a view: steps the environment in real time with the keys that are held, and sends its frames. */
export class Player {
  private game: PlayGame | null = null;
  /** The episode to start; without a seed, one is drawn. */
  private wanted: { seed?: number } | null = null;
  private paused = false;
  private done = true;
  private closed = false;
  /** Keys held now, and those pressed since the last step, so that a short tap counts, too. */
  private held: string[] = [];
  private tapped: string[] = [];
  /** The keys that do something, with what they do. */
  private readonly keys: Record<string, string>;
  /** An action held by its ID, instead of keys. */
  private action: number | null = null;

  /** The next frame's message; its reward is the sum since the last frame that was sent. */
  private pending: Extract<PlayMessage, { type: 'frame' }> | null = null;
  private seed = 0;
  private actions: number[] = [];
  private return = 0;
  /** Frames that were sent and not acknowledged. */
  private unacknowledged = 0;
  /** Steps since the last acknowledgement. */
  private silentSteps = 0;

  private due = 0;
  private woken = false;
  private wake = (): void => {};

  /**
   * @param signal aborted when the kernel is interrupted, which ends the session
   * @param onEnd called once, when the session has ended
   */
  constructor(
    private readonly environment: Playable,
    private readonly comm: Comm,
    private readonly signal: AbortSignal,
    private readonly onEnd: () => void,
  ) {
    const { name, actions, palette, playScreen, turns } = environment;
    this.keys = turns ? turnKeys(actions) : playKeys(actions);
    comm.onMessage((message: PlayViewMessage) => this.receive(message));
    comm.onClose(() => this.end());
    signal.addEventListener('abort', this.interrupted);
    const about = { name, ...playScreen, actions: [...actions], keys: this.keys };
    this.send({ type: 'ready', ...about, ...(palette ? {} : { drawn: true }) }, palette ? [palette] : []);
    void this.run();
  }

  /** Ends the session and tells the view why. */
  close(reason: string): void {
    if (this.closed) return;
    this.send({ type: 'error', text: reason });
    this.comm.close();
  }

  private readonly interrupted = (): void =>
    this.close('The kernel was interrupted: the game is over. Press Play to start another.');

  private receive(message: PlayViewMessage): void {
    const problem = this.apply(message);
    if (problem) this.send({ type: 'error', text: problem });
    this.notify();
  }

  /** Applies a message of the view; returns what is wrong with it, if anything. */
  private apply(message: PlayViewMessage): string | void {
    switch (message?.type) {
      case 'start': {
        const { seed } = message;
        if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0))
          return `A seed must be a whole number ≥ 0, not ${JSON.stringify(seed)}.`;
        this.wanted = { seed };
        this.paused = false;
        return;
      }
      case 'keys':
        if (!Array.isArray(message.keys) || !message.keys.every((key) => typeof key === 'string'))
          return 'keys must be a list of the names of the keys that are held.';
        this.tapped.push(...message.keys.filter((key) => !this.held.includes(key)));
        this.held = message.keys;
        this.action = null;
        return;
      case 'action': {
        const id = this.environment.actions.indexOf(message.action);
        if (id < 0)
          return `'${this.environment.name}' has no action ${JSON.stringify(message.action)}. The actions are: ${this.environment.actions.join(', ')}.`;
        this.action = id;
        return;
      }
      case 'pause':
        this.paused = message.paused === true;
        return;
      case 'finish':
        if (this.done) return;
        this.done = true;
        return void this.keep();
      case 'ack':
        this.unacknowledged = Math.max(0, this.unacknowledged - 1);
        this.silentSteps = 0;
        return;
      case 'stop':
        return this.comm.close();
      default:
        return `There is no message ${JSON.stringify((message as { type?: unknown } | undefined)?.type)}. The messages are: start, keys, action, pause, finish, ack, stop.`;
    }
  }

  private async run(): Promise<void> {
    try {
      while (!this.closed) {
        if (this.wanted) await this.start(this.wanted);
        else if (this.running && performance.now() >= this.due) await this.play();
        await this.show();
        await this.wait();
      }
    } catch (error) {
      this.close(`${error instanceof Error ? error.message : String(error)} Press Play to start again.`);
    }
    await this.game?.close().catch(() => {}); // it may be lost
  }

  private get running(): boolean {
    return !this.done && !this.paused && this.chosen >= 0;
  }

  /** The ID of the action of the next step; -1 while it waits for one. */
  private get chosen(): number {
    const { actions, turns } = this.environment;
    // A key that was tapped counts as newer than those that are held.
    const keys = [...this.held, ...this.tapped];
    if (this.action !== null) return this.action;
    return turns
      ? actions.indexOf(this.keys[keys.findLast((key) => key in this.keys) ?? ''])
      : keysAction(actions, keys);
  }

  private get period(): number {
    return 1000 / this.environment.playScreen.stepsPerSecond;
  }

  private async start({ seed = randomInt(2 ** 32) }: { seed?: number }): Promise<void> {
    this.wanted = null;
    this.game ??= await this.environment.openGame();
    const begun = await this.game.reset(seed);
    this.seed = seed;
    this.actions = [];
    this.return = 0;
    this.tapped = [];
    this.pending = null;
    this.send({ type: 'started', seed });
    this.record(begun, 'NOOP');
    this.due = performance.now() + this.period;
  }

  private async play(): Promise<void> {
    const { actions, turns } = this.environment;
    const action = this.chosen;
    this.tapped = [];
    const played = await this.game!.step(action);
    this.actions.push(action);
    this.record(played, actions[action]);
    if (this.done) void this.keep();
    // After a pause, for example while a cell computes, missed steps are not made up for.
    this.due = Math.max(this.due + this.period, performance.now() + (turns ? this.period : 0));
    if (++this.silentSteps > UNACKNOWLEDGED * this.environment.playScreen.stepsPerSecond)
      this.close('Nobody looked at the game any more, and it was ended. Press Play to start again.');
  }

  private record({ reward, lives, done }: PlayStep, action: string): void {
    this.return += reward;
    this.done = done;
    this.pending = {
      type: 'frame',
      step: this.actions.length,
      action,
      reward: reward + (this.pending?.reward ?? 0),
      return: this.return,
      lives,
      done,
    };
  }

  /** Records the episode, and tells the view what the reward functions give it. */
  private async keep(): Promise<void> {
    const { seed, actions } = this;
    if (actions.length === 0) return;
    try {
      const { recorded: record = (play) => recordPlay(this.environment, play) } = this.environment;
      const recorded = await record({ seed, actions });
      if (recorded) this.send({ type: 'recorded', ...recorded });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.send({ type: 'error', text: `The episode could not be recorded: ${why}` });
    }
  }

  /** Sends the newest frame, if the view does not have it and has acknowledged enough of those before. */
  private async show(): Promise<void> {
    if (!this.pending || this.unacknowledged >= WINDOW || this.closed) return;
    const { pending } = this;
    this.pending = null;
    this.unacknowledged++;
    this.send(pending, [await this.game!.frame()]);
  }

  /** Waits until the next step is due, or {@link notify} is called. */
  private async wait(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        if (this.running) timer = setTimeout(resolve, Math.max(0, this.due - performance.now()));
      });
    }
    clearTimeout(timer);
    this.woken = false;
  }

  private notify(): void {
    this.woken = true;
    this.wake();
  }

  private send(message: PlayMessage, buffers: Uint8Array[] = []): void {
    this.comm.send(message, buffers);
  }

  private end(): void {
    this.closed = true;
    this.signal.removeEventListener('abort', this.interrupted);
    this.onEnd();
    this.notify();
  }
}
