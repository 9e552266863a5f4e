import type { MimeBundle } from '../../display/cellContext';
import type { EnvironmentSchema, EpisodeState, ResetArguments, StepResult } from '../../openenv/protocol';
import type { CardContent } from '../card/card';
import type { RolloutEnvironment } from '../environment';
import type { SessionSource } from '../remote/sessions';
import type { EpisodeSpec } from '../vectorEnv';
import type { ReadObservation } from '../vectorStep';
import type { SessionCount } from '../../display/overview';
import { SESSIONS } from '../sessionCount';
import { TYPING, type EnvironmentTyping } from '../typing';
import type { RemoteEnvironment } from '../remote/remote';
import { ATARI_GAMES, type AtariGame } from './catalog';
import { NamedGame, type AtariObservation } from './namedGame';
import { atariReader } from './reader';
import { SCREEN_ASPECT } from './screen';
import { atariTyping } from './typing';

const ABOUT =
  "OpenEnv's own Atari server. It has no seeds, idle starts or automatic FIRE: every episode starts as the game does, whatever seed is given.";

/**
 * A game on OpenEnv's own Atari server (`envs/atari_env`), with the methods of
 * {@link AtariEnvironment}. `openenv(url)` returns it when the server sends the
 * console's memory (`ATARI_OBS_TYPE=ram`), from which the named state is read
 * here. The server has one session at a time: `release` frees it for rollouts.
 */
export class OfficialAtariEnvironment<Action extends string = string, State = Record<string, number>>
  extends NamedGame<Action, State>
  implements RolloutEnvironment
{
  readonly builtIn = false;
  readonly draws = false;
  readonly spec: EpisodeSpec;
  /** None: the server's schemas describe pixels, and strategies see named state. */
  readonly schemas = null;
  readonly description = ABOUT;
  private score = 0;
  private warned = false;
  private seen: AtariObservation<State> | null = null;

  private constructor(
    protected readonly client: RemoteEnvironment,
    { game_name, frameskip, repeat_action_probability, full_action_space, mode, difficulty }: EpisodeState,
  ) {
    super({
      game: game_name,
      frameSkip: frameskip,
      repeatActionProbability: repeat_action_probability,
      fullActionSpace: full_action_space,
      mode: mode ?? undefined,
      difficulty: difficulty ?? undefined,
      autoFire: false,
      noopMax: 0,
    });
    const actionSchema = {
      type: 'object',
      properties: { action_id: { type: 'integer', minimum: 0, maximum: this.actions.length - 1 } },
      required: ['action_id'],
      additionalProperties: false,
    };
    this.spec = {
      environment: 'atari',
      options: this.options,
      actions: this.actions,
      actionSchema,
      stateVariables: this.stateVariables.map(({ name }) => name),
      observations: true,
    };
  }

  /** Returns the game of such a server, if that sends memory and ALE has the game; else the server as it is. */
  static async of(server: RemoteEnvironment<any, any, any>): Promise<OfficialAtariEnvironment | RemoteEnvironment> {
    const state = await server.state();
    if (state.obs_type !== 'ram') {
      console.warn(
        `This Atari server sends pictures (ATARI_OBS_TYPE=${state.obs_type}). Named state is read from memory: start it with ATARI_OBS_TYPE=ram.`,
      );
      server.pictureAspect = SCREEN_ASPECT;
      return server;
    }
    return ATARI_GAMES.includes(state.game_name as AtariGame) ? new OfficialAtariEnvironment(server, state) : server;
  }

  /** Starts an episode. The server has no seeds: one that is given is ignored, with a warning. */
  async reset(args: ResetArguments = {}): Promise<StepResult<AtariObservation<State>>> {
    if (args.seed !== undefined && !this.warned) {
      this.warned = true;
      console.warn("OpenEnv's Atari server has no seeds: every episode starts as the game does.");
    }
    this.score = 0;
    return this.result({ ...(await this.client.reset(args)), reward: null });
  }

  /** Returns the server's state of the episode. */
  state(): Promise<EpisodeState> {
    return this.client.state();
  }

  /** Returns an object that is displayed as the newest named state in words: this server sends no pictures. */
  render(): object {
    const state = Object.entries(this.seen?.state ?? {})
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
    const text = `No picture: this server sends the console's memory alone. ${state || 'No episode has started: call reset().'}`;
    return { [Symbol.for('Jupyter.display')]: (): MimeBundle => ({ 'text/plain': text }) };
  }

  [TYPING](): EnvironmentTyping | null {
    const server = this.client[TYPING]();
    // The declared type of `openenv(url)` is that of any server.
    return (
      server && { ...atariTyping('OfficialAtariEnvironment', server.key, this.name, this), general: server.general }
    );
  }

  /** Returns sessions with the server, whose observations are read as named state. */
  async vectorSources(count?: number): Promise<SessionSource[]> {
    const sources = await this.client.vectorSources(count);
    return sources.map((source) => ({
      ...source,
      spec: this.spec,
      reader: { module: __filename, options: this.options },
    }));
  }

  /** Closes the session, the only one that the server has. The next reset opens another. */
  release(): Promise<void> {
    return this.client.release();
  }

  [SESSIONS](): SessionCount | null {
    return this.client[SESSIONS]();
  }

  /** Ends the session. */
  close(): Promise<void> {
    return this.client.close();
  }

  protected async cardContent(): Promise<CardContent> {
    const { environment, name, description, options, actions, stateVariables } = this;
    return { environment, name, description, options, actions, stateVariables };
  }

  protected observed({ observation, reward, done }: StepResult): AtariObservation<State> {
    const { lives, episode_frame_number: frameNumber } = observation;
    const ram = Uint8Array.from(observation.screen as number[]);
    const state = this.readState(ram) as State;
    this.score += reward ?? 0;
    this.seen = { state, lives, score: this.score, ram, terminated: done, truncated: false, frameNumber };
    return this.seen;
  }
}

/** Returns whether schemas are those of OpenEnv's own Atari server. */
export function isOfficialAtari(schemas: EnvironmentSchema | null): boolean {
  const fields = schemas?.action?.properties;
  return Boolean(fields?.action_id && fields.game_name && fields.obs_type);
}

/** Returns a function that returns what a strategy sees of an observation of that server: named state, and the memory as `ram`. */
export function observationReader(options: object): ReadObservation {
  const { readState } = atariReader(options);
  return ({ screen, lives }) => ({ state: { ...readState(Uint8Array.from(screen)), lives, ram: screen }, lives });
}
