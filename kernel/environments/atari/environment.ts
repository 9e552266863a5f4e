import type { MimeBundle } from '../../display/host';
import { withProgress } from '../../display/progress';
import type { OpenEnvClient } from '../../openenv/client';
import { OpenEnvError } from '../../openenv/errors';
import type {
  EnvironmentMetadata,
  EnvironmentSchema,
  EpisodeState,
  ResetArguments,
  StepResult,
} from '../../openenv/protocol';
import { environmentBundle, type CardOptions } from '../card';
import type { RolloutEnvironment } from '../environment';
import type { EpisodeSpec, VectorSource } from '../vectorEnv';
import { endPlay, offerPlay, type Playable, type PlayGame } from '../play';
import { TYPING, type EnvironmentTyping } from '../typing';
import type { HumanReturn } from '../reference';
import { AtariFrame } from './frame';
import { atariGame } from './game';
import type { AtariVariable } from './games/variables';
import { resolveOpenOptions, type AtariOpenOptions, type ResolvedAtariOptions } from './options';
import { atariReader } from './reader';
import { atariScreen, SCREEN_HEIGHT, SCREEN_WIDTH } from './screen';
import { closeSession, openPlaySession, openSession, sessionFrame, type AtariSession } from './session';
import { atariTyping } from './typing';

/** What a reset or a step of an Atari game shows. */
export interface AtariObservation<State = Record<string, number>> {
  /** The named state: `state.ball_x`. */
  state: State;
  /** Lives left; 0 in games without lives. */
  lives: number;
  /** Sum of the episode's rewards. */
  score: number;
  /** The 128 bytes of the console's memory. */
  ram: Uint8Array;
  /** The game is over. */
  terminated: boolean;
  /** The episode was cut off at `maxFrames`. */
  truncated: boolean;
  /** Frames since the episode's start. */
  frameNumber: number;
  /** With `obsType: 'screen'`: 210 × 160 palette indices, row by row. */
  screen?: Uint8Array;
}

/** A step's action: its name ("LEFT") or its ID. */
export type AtariAction<Name extends string = string> = Name | { action_id: number };

/**
 * An Atari game behind a local OpenEnv server. Made by `openenv('atari', { game })`.
 * In a notebook its type has the game's actions and state variables once the cell ran.
 */
export class AtariEnvironment<Action extends string = string, State = Record<string, number>>
  implements RolloutEnvironment, Playable
{
  readonly environment = 'atari';
  readonly builtIn = true;
  readonly draws = true;
  /** Name of the game. */
  readonly name: string;
  /** All options, defaults included. */
  readonly options: Record<string, unknown>;
  /** Names of the actions; an action's ID is its index. */
  readonly actions: Action[];
  readonly stateVariables: AtariVariable[];
  /** Bytes of the console's memory: strategies get them as `state.ram`, an array of numbers from 0 to 255. */
  readonly ramSize = 128;
  /** The named state, from the 128 bytes of memory. */
  readonly readState: (ram: Uint8Array) => Record<string, number>;
  /** What a human gets, where that was published. */
  readonly human: HumanReturn | undefined;

  readonly spec: EpisodeSpec;
  /** Pixels of the screen, and steps per second on a television. */
  readonly playScreen: Playable['playScreen'];
  /** Red, green and blue of each of the 256 values of a pixel of the game's screen. */
  readonly palette: Uint8Array;

  /** What policies play. */
  private readonly game: RolloutEnvironment;
  private firstFrame: Uint8Array | undefined;
  private lost = false;
  private closed = false;
  /** The session that is being opened in place of a lost one: one for all resets that wait for it. */
  private reconnecting: Promise<void> | undefined;

  private constructor(
    private readonly resolved: ResolvedAtariOptions,
    private session: AtariSession,
    private readonly messageTimeout: number | undefined,
  ) {
    forgotten.register(this, session, this);
    this.name = resolved.game;
    this.options = { ...resolved };
    const { palette, ...screen } = atariScreen(resolved);
    [this.palette, this.playScreen] = [palette, screen];
    const { actions, stateVariables, readState } = atariReader(resolved);
    this.actions = actions as Action[];
    this.stateVariables = stateVariables;
    this.readState = readState;
    this.game = atariGame(resolved, messageTimeout);
    ({ human: this.human, spec: this.spec } = this.game);
  }

  /** Starts the server if none runs, opens a session and starts the episode of seed 0. */
  static async open(options: AtariOpenOptions): Promise<AtariEnvironment> {
    const { resolved, messageTimeout } = resolveOpenOptions(options);
    return withProgress(`Starting the Atari server (${resolved.game})`, 0, async () => {
      const session = await openSession(resolved, messageTimeout);
      const environment = new AtariEnvironment(resolved, session, messageTimeout);
      await environment.reset({ seed: 0 });
      environment.firstFrame = await environment.render().pixels();
      return environment;
    });
  }

  /**
   * Starts an episode. The same seed, options and actions give the same
   * episode; without a seed the server draws one, which `state` tells.
   */
  async reset(args: ResetArguments = {}): Promise<StepResult<AtariObservation<State>>> {
    if (this.lost && !this.closed)
      await (this.reconnecting ??= this.reconnect().finally(() => (this.reconnecting = undefined)));
    return this.observed(this.watch(this.client.reset(args)));
  }

  /** Plays one step: an action's name, or its ID. */
  async step(action: AtariAction<Action>): Promise<StepResult<AtariObservation<State>>> {
    return this.observed(this.watch(this.client.step({ action_id: this.actionId(action) })));
  }

  /** What the server tells about the episode: its seed, step count, score… */
  async state(): Promise<EpisodeState> {
    const { screen, ...state } = await this.watch(this.client.state());
    return state as EpisodeState;
  }

  schema(): Promise<EnvironmentSchema> {
    return this.client.schema();
  }

  metadata(): Promise<EnvironmentMetadata> {
    return this.client.metadata();
  }

  /** The current frame: displayed as a picture. */
  render(): AtariFrame {
    return new AtariFrame(this.watch(sessionFrame(this.client)), this.palette);
  }

  /** The card: name, actions, state variables and first frame, and what chance gets where that was measured. */
  card({ reference }: CardOptions = {}): MimeBundle {
    return environmentBundle({
      environment: this.environment,
      name: this.name,
      options: this.options,
      actions: this.actions,
      stateVariables: this.stateVariables,
      reference,
      ...(this.closed ? {} : { play: offerPlay(this) }),
      frame: { width: SCREEN_WIDTH, height: SCREEN_HEIGHT, palette: this.palette, pixels: this.firstFrame! },
    });
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return this.card();
  }

  [TYPING](): EnvironmentTyping {
    const { game, autoFire, fullActionSpace } = this.resolved;
    return atariTyping('AtariEnvironment', `atari ${JSON.stringify({ game, autoFire, fullActionSpace })}`, game, this);
  }

  /** The processes that play episodes many at a time. They start with the first call. */
  vectorSources(count?: number): Promise<VectorSource[]> {
    return this.game.vectorSources(count);
  }

  /** The game of an earlier episode's options, on the same processes. */
  withOptions(options: Record<string, unknown>): RolloutEnvironment {
    return this.game.withOptions!(options);
  }

  /** Opens a game beside this session, for the card's Play button. */
  openGame(): Promise<PlayGame> {
    return openPlaySession(this.resolved);
  }

  /** Ends the session; the server stops with its last session. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    forgotten.unregister(this);
    endPlay(this);
    await closeSession(this.session);
  }

  private actionId(action: AtariAction): number {
    const id = typeof action === 'string' ? (this.actions as string[]).indexOf(action) : action?.action_id;
    if (Number.isInteger(id) && id in this.actions) return id;
    const given = typeof action === 'string' ? `'${action}'` : JSON.stringify(action);
    const hint = action === 'FIRE' ? ' FIRE is pressed by the environment itself: autoFire is on.' : '';
    throw new OpenEnvError(
      'INVALID_ARGUMENT',
      `'${this.name}' has no action ${given}. The actions are: ${this.actions.join(', ')}.${hint}`,
    );
  }

  private async observed(answer: Promise<StepResult>): Promise<StepResult<AtariObservation<State>>> {
    const { observation, reward, done, metadata } = await answer;
    const ram = Uint8Array.from(observation.ram as number[]);
    const screen =
      typeof observation.screen === 'string'
        ? { screen: new Uint8Array(Buffer.from(observation.screen, 'base64')) }
        : {};
    return {
      observation: {
        state: this.readState(ram) as State,
        lives: observation.lives,
        score: observation.score,
        ram,
        terminated: observation.terminated,
        truncated: observation.truncated,
        frameNumber: observation.frame_number,
        ...screen,
      },
      reward,
      done,
      metadata,
    };
  }

  /** Notes when the session is lost: the next reset opens a new one. */
  private async watch<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof OpenEnvError && ['CONNECTION_LOST', 'TIMEOUT'].includes(error.code)) this.lost = true;
      throw error;
    }
  }

  private async reconnect(): Promise<void> {
    await closeSession(this.session);
    const session = await openSession(this.resolved, this.messageTimeout);
    if (this.closed) return closeSession(session);
    Object.assign(this.session, session);
    this.lost = false;
  }

  private get client(): OpenEnvClient {
    return this.session.client;
  }
}

/** Environments that nobody holds any more, for example after their cell ran again: their sessions are closed. */
const forgotten = new FinalizationRegistry<AtariSession>((session) => void closeSession(session));
