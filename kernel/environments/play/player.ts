import { randomInt } from 'node:crypto';
import type { PictureSize } from '../../display/pictures/aspect';
import type { Comm } from '../../display/host';
import type { PlayMessage, PlayViewMessage } from '../../display/mime';
import { keysAction, playKeys } from './keys';

/** An environment that people can play. */
export interface Playable {
  /** Name of what is played: "breakout". */
  readonly name: string;
  /** Names of the actions; an action's ID is its index. */
  readonly actions: readonly string[];
  /** 3 bytes (red, green, blue) for each value of a pixel. */
  readonly palette: Uint8Array;
  /** Opens a game in a session of its own. */
  openGame(): Promise<PlayGame>;
  /** Pixels of a frame, and steps per second in real time. */
  readonly playScreen: PictureSize & { stepsPerSecond: number };
}

/** A game in a session of its own. */
export interface PlayGame {
  reset(seed: number): Promise<PlayStep>;
  /** @param action the action's ID */
  step(action: number): Promise<PlayStep>;
  /** The current frame: `height × width` palette indices, row by row. */
  frame(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The result of a reset or a step. */
export interface PlayStep {
  reward: number;
  lives: number;
  done: boolean;
}

/** Frames on their way to the view, at most: a few, so that a distant view gets all of them, too. */
const WINDOW = 4;
/** A view that acknowledges nothing for so long is gone: its page was loaded again. In seconds of the game. */
const UNACKNOWLEDGED = 60;

/** A view that plays: steps the game in real time with the keys that are held, and sends its frames. */
export class Player {
  private game: PlayGame | null = null;
  /** The episode to start, with a seed or any. */
  private wanted: { seed?: number } | null = null;
  private paused = false;
  private done = true;
  private closed = false;
  /** Keys held now, and those pressed since the last step: a short tap counts as well. */
  private held: string[] = [];
  private tapped: string[] = [];
  /** An action held by its ID, instead of keys. */
  private action: number | null = null;

  /** The next frame's message; its reward sums up those of the steps that were not shown. */
  private news: Extract<PlayMessage, { type: 'frame' }> | null = null;
  private step = 0;
  private return = 0;
  private underWay = 0;
  private unanswered = 0;

  private due = 0;
  private woken = false;
  private wake = (): void => {};

  /**
   * @param signal of the kernel: an interrupt ends the game
   * @param onEnd called once, when nothing is sent any more
   */
  constructor(
    private readonly environment: Playable,
    private readonly comm: Comm,
    private readonly signal: AbortSignal,
    private readonly onEnd: () => void,
  ) {
    const { name, actions, palette, playScreen } = environment;
    comm.onMessage((message: PlayViewMessage) => this.receive(message));
    comm.onClose(() => this.end());
    signal.addEventListener('abort', this.interrupted);
    this.send({ type: 'ready', name, ...playScreen, actions: [...actions], keys: playKeys(actions) }, [palette]);
    void this.run();
  }

  /** Ends the game and says why. */
  close(reason: string): void {
    if (this.closed) return;
    this.send({ type: 'error', text: reason });
    this.comm.close();
  }

  private readonly interrupted = (): void =>
    this.close('The kernel was interrupted: the game is over. Press Play to start another.');

  private receive(message: PlayViewMessage): void {
    const problem = this.obey(message);
    if (problem) this.send({ type: 'error', text: problem });
    this.look();
  }

  /** Does what the view asks for; says what is wrong with it. */
  private obey(message: PlayViewMessage): string | void {
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
      case 'ack':
        this.underWay = Math.max(0, this.underWay - 1);
        this.unanswered = 0;
        return;
      case 'stop':
        return this.comm.close();
      default:
        return `There is no message ${JSON.stringify((message as { type?: unknown } | undefined)?.type)}. The messages are: start, keys, action, pause, ack, stop.`;
    }
  }

  private async run(): Promise<void> {
    try {
      while (!this.closed) {
        if (this.wanted) await this.start(this.wanted);
        else if (this.running && performance.now() >= this.due) await this.play();
        await this.show();
        await this.rest();
      }
    } catch (error) {
      this.close(`${error instanceof Error ? error.message : String(error)} Press Play to start again.`);
    }
    await this.game?.close().catch(() => {}); // it may be lost
  }

  private get running(): boolean {
    return !this.done && !this.paused;
  }

  private get period(): number {
    return 1000 / this.environment.playScreen.stepsPerSecond;
  }

  private async start({ seed = randomInt(2 ** 32) }: { seed?: number }): Promise<void> {
    this.wanted = null;
    this.game ??= await this.environment.openGame();
    const begun = await this.game.reset(seed);
    this.step = this.return = 0;
    this.tapped = [];
    this.news = null;
    this.send({ type: 'started', seed });
    this.note(begun, 'NOOP');
    this.due = performance.now() + this.period;
  }

  private async play(): Promise<void> {
    const { actions } = this.environment;
    // A tap that is over was pressed after what is held.
    const action = this.action ?? keysAction(actions, [...this.held, ...this.tapped]);
    this.tapped = [];
    const played = await this.game!.step(action);
    this.step++;
    this.note(played, actions[action]);
    // After a break, of a cell that computes for example, the game goes on from where it was.
    this.due = Math.max(this.due + this.period, performance.now());
    if (++this.unanswered > UNACKNOWLEDGED * this.environment.playScreen.stepsPerSecond)
      this.close('Nobody looked at the game any more, and it was ended. Press Play to start again.');
  }

  private note({ reward, lives, done }: PlayStep, action: string): void {
    this.return += reward;
    this.done = done;
    this.news = {
      type: 'frame',
      step: this.step,
      action,
      reward: reward + (this.news?.reward ?? 0),
      return: this.return,
      lives,
      done,
    };
  }

  /** Sends the newest frame, where there is one that the view has not, and it has shown those before. */
  private async show(): Promise<void> {
    if (!this.news || this.underWay >= WINDOW || this.closed) return;
    const { news } = this;
    this.news = null;
    this.underWay++;
    this.send(news, [await this.game!.frame()]);
  }

  /** Until the next step is due, or something has happened. */
  private async rest(): Promise<void> {
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

  private look(): void {
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
    this.look();
  }
}
