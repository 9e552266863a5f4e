import { withProgress } from '../../display/progress/progress';
import type { OpenEnvClient } from '../../openenv/client';
import type { EpisodeState, ResetArguments, StepResult } from '../../openenv/protocol';
import type { SessionCount } from '../../display/overview';
import type { CardContent } from '../card/card';
import type { RolloutEnvironment } from '../environment';
import type { EpisodeSpec, VectorSource } from '../vectorEnv';
import type { Episode } from '../../episodes/episode';
import { SESSIONS, sessionCount } from '../sessionCount';
import { endPlay, offerPlay, playerCount, type Playable, type PlayGame } from '../play';
import { TYPING, type EnvironmentTyping } from '../typing';
import { AtariFrame } from './frame';
import { atariGame } from './game';
import { NamedGame, type AtariObservation } from './namedGame';
import { resolveOpenOptions, type AtariOpenOptions, type ResolvedAtariOptions } from './options';
import { atariScreen } from './screen';
import { closeSession, openPlaySession, openSession, sessionFrame, type AtariSession } from './session';
import { atariTyping } from './typing';

/**
 * An Atari game behind a local OpenEnv server, opened with
 * `openenv('atari', { game })`. In a notebook, its type has the game's actions
 * and state variables once the cell has run.
 */
export class AtariEnvironment<Action extends string = string, State = Record<string, number>>
  extends NamedGame<Action, State>
  implements RolloutEnvironment, Playable
{
  readonly builtIn = true;
  readonly draws = true;
  readonly spec: EpisodeSpec;
  /** Pixels of the screen, and steps per second on a television. */
  readonly playScreen: Playable['playScreen'];
  /** 3 bytes (red, green, blue) for each of the 256 values of a pixel of the game's screen. */
  readonly palette: Uint8Array;

  /** Episodes that people played from the card, the newest last. */
  readonly played: Episode[] = [];

  /** What opens the vector environments that policies play. */
  private readonly game: RolloutEnvironment;
  private firstFrame: Uint8Array | undefined;
  private closed = false;
  /** Resolves when a session is open in place of a lost one; all resets meanwhile wait for it. */
  private reconnecting: Promise<void> | undefined;

  private constructor(
    private readonly resolved: ResolvedAtariOptions,
    private readonly session: AtariSession,
    private readonly messageTimeout: number | undefined,
  ) {
    super({ ...resolved });
    forgotten.register(this, session, this);
    const { palette, ...screen } = atariScreen(resolved);
    [this.palette, this.playScreen] = [palette, screen];
    this.game = atariGame(resolved, messageTimeout);
    this.spec = this.game.spec;
  }

  /** Starts the server if none runs, opens a session and starts the episode of seed 0. Rejects with `INVALID_ARGUMENT` for options that are not valid. */
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
   * Starts an episode and returns its first observation. The same seed, options
   * and actions give the same episode; without a seed the server draws one, which
   * `state` returns.
   */
  async reset(args: ResetArguments = {}): Promise<StepResult<AtariObservation<State>>> {
    if (!this.client.connected && !this.closed)
      await (this.reconnecting ??= this.reconnect().finally(() => (this.reconnecting = undefined)));
    return this.result(await this.client.reset(args));
  }

  /** Returns the server's state of the episode: its seed, step count, score… */
  async state(): Promise<EpisodeState> {
    const { screen, ...state } = await this.client.state();
    return state as EpisodeState;
  }

  /** Returns the current frame, which is displayed as a picture. */
  render(): AtariFrame {
    return new AtariFrame(sessionFrame(this.client), this.palette);
  }

  [TYPING](): EnvironmentTyping {
    const { game, autoFire, fullActionSpace } = this.resolved;
    return atariTyping('AtariEnvironment', `atari ${JSON.stringify({ game, autoFire, fullActionSpace })}`, game, this);
  }

  /** Returns the processes that play many episodes at a time. The first call starts them. */
  vectorSources(count?: number): Promise<VectorSource[]> {
    return this.game.vectorSources(count);
  }

  /** Returns the environment of an earlier episode's options, on the same processes. */
  withOptions(options: Record<string, unknown>): RolloutEnvironment {
    return this.game.withOptions!(options);
  }

  /** Opens another session, for the card's Play button. */
  openGame(): Promise<PlayGame> {
    return openPlaySession(this.resolved);
  }

  [SESSIONS](): SessionCount | null {
    if (this.closed) return null;
    const own = sessionCount(this.client);
    const players = playerCount(this);
    return { open: own.open + players, busy: own.busy + players };
  }

  /** Ends the session; the server stops with its last session. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    forgotten.unregister(this);
    endPlay(this);
    await closeSession(this.session);
  }

  protected get client(): OpenEnvClient {
    return this.session.client;
  }

  protected async cardContent(): Promise<CardContent> {
    const { environment, name, options, actions, stateVariables, palette, firstFrame: pixels } = this;
    return {
      environment,
      name,
      options,
      actions,
      stateVariables,
      ...(this.closed ? {} : { play: offerPlay(this) }),
      frame: { ...this.playScreen, palette, pixels: pixels! },
    };
  }

  protected observed({ observation }: StepResult): AtariObservation<State> {
    const { lives, score, terminated, truncated, frame_number: frameNumber, screen } = observation;
    const ram = Uint8Array.from(observation.ram as number[]);
    return {
      state: this.readState(ram) as State,
      lives,
      score,
      ram,
      terminated,
      truncated,
      frameNumber,
      ...(typeof screen === 'string' ? { screen: new Uint8Array(Buffer.from(screen, 'base64')) } : {}),
    };
  }

  /** Opens another session, on another server when this one has ended or is frozen. */
  private async reconnect(): Promise<void> {
    const session = await openSession(this.resolved, this.messageTimeout);
    if (this.closed) return closeSession(session);
    const lost = { ...this.session };
    Object.assign(this.session, session);
    await closeSession(lost);
  }
}

/** Closes the sessions of environments that are garbage, for example after their cell has run again. */
const forgotten = new FinalizationRegistry<AtariSession>((session) => void closeSession(session));
