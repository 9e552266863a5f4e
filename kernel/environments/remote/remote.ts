import { availableParallelism } from 'node:os';
import { actionCheck, meantError, type ActionCheck } from '../../openenv/actionCheck';
import type { ClientOptions, OpenEnvClient } from '../../openenv/client';
import { OpenEnvError } from '../../openenv/errors';
import { getJson } from '../../openenv/http';
import type { Tool } from '../../openenv/mcp';
import type {
  EnvironmentMetadata,
  EnvironmentSchema,
  EpisodeState,
  ResetArguments,
  StepResult,
} from '../../openenv/protocol';
import { readMetadata, readSchemas } from '../../openenv/shapes';
import type { MimeBundle } from '../../display/cellContext';
import type { Episode, EpisodeRecord } from '../../episodes/episode';
import type { EpisodeFrames } from '../../episodes/frames';
import type { CardContent } from '../card/card';
import { checkedTarget, Connection, type RemoteOptions } from './connection';
import type { RolloutEnvironment, StateVariable } from '../environment';
import { OpenedEnvironment } from '../opened';
import { reachableServers } from './pool';
import { hasPicture, observationPicture, pictureBundle, type PictureFile } from '../card/picture';
import type { SessionSource } from './sessions';
import { offerPlay } from '../play';
import type { SessionCount } from '../../display/overview';
import { SESSIONS, sessionCount } from '../sessionCount';
import type { Drawing } from './drawing';
import { schemaTyping, TYPING, type EnvironmentTyping } from '../typing';
import type { EpisodeSpec } from '../vectorEnv';

export type { RemoteOptions };

/** Closes the sessions and servers of environments that are garbage, for example after their cell has run again. */
const forgotten = new FinalizationRegistry<Connection>((connection) => void connection.close());

/**
 * A session with any OpenEnv server, opened with `openenv(target)`. In a
 * notebook, its types come from the server's schemas once the cell has run;
 * elsewhere they are type arguments.
 *
 * #### Notes
 * When a session is lost in an episode, `step` rejects. The next `reset` opens a
 * new session; a server that was started here and has ended is started again.
 */
export class RemoteEnvironment<
    Action extends object = Record<string, any>,
    Observation = Record<string, any>,
    State = EpisodeState,
  >
  extends OpenedEnvironment
  implements RolloutEnvironment
{
  readonly builtIn = false;
  readonly draws = false;
  /** The name in the server's metadata. */
  readonly name: string;
  readonly actions: string[] = [];
  readonly stateVariables: StateVariable[] = [];
  readonly description: string;
  /** The pictures of its class, for an environment that runs in this process. */
  drawing?: Drawing;
  /** Width divided by height of pictures in observations, when their pixels are not square. */
  pictureAspect?: number;
  /** Episodes that people played from the card, the newest last. */
  readonly played: Episode[] = [];
  private closed = false;
  /** The observation that the last episode began with, and the newest. */
  private first: Observation | undefined;
  private newest: Observation | undefined;

  private constructor(
    private readonly connection: Connection,
    private readonly about: EnvironmentMetadata,
    /** JSON Schemas of action, observation and state; `null` from old servers, which have none. */
    readonly schemas: EnvironmentSchema | null,
    private readonly check: ActionCheck | null,
    /** The first argument of `openenv`. */
    private readonly target: string,
    readonly options: Record<string, unknown>,
  ) {
    super();
    ({ name: this.name, description: this.description } = about);
    forgotten.register(this, connection, this);
  }

  /** Opens a session with the server of a target; starts the server first if it does not run. Rejects with an OpenEnvError. */
  static async open(target: string, options: RemoteOptions = {}): Promise<RemoteEnvironment<any, any, any>> {
    const { kind } = checkedTarget(target, options);
    const pooled = kind === 'url' && options.servers?.length;
    const [address, ...servers] = pooled ? await reachableServers([target, ...options.servers!], options) : [target];
    if (pooled) options = { ...options, servers };
    const connection = await Connection.open(address, options);
    // Old servers have neither.
    const [about, read] = await Promise.all([
      connection.client
        .metadata()
        .catch(() => null)
        .then((document) => readMetadata(document, connection.target.name)),
      connection.client.schema().catch(withoutDocument).then(readSchemas),
    ]);
    if (read?.leftOut.length)
      console.warn(
        `The schemas of ${about.name} are too large to be told and checked here as a whole. Left to the server are ${read.leftOut.join('; ')}.`,
      );
    return new RemoteEnvironment(
      connection,
      about,
      read?.schemas ?? null,
      read && actionCheck(read.schemas.action),
      target,
      { ...options },
    );
  }

  /** The server's address, which changes when the server is started again. */
  get environment(): string {
    return this.connection.url;
  }

  /** The server's address, as {@link environment}. */
  get url(): string {
    return this.connection.url;
  }

  get spec(): EpisodeSpec {
    // The address may change.
    return {
      environment: this.name,
      options: {},
      actions: this.actions,
      actionSchema: this.schemas?.action ?? { type: 'object' },
      stateVariables: [],
      observations: true,
    };
  }

  /** Returns sources of sessions with the servers; each thread that plays opens some. */
  async vectorSources(count = availableParallelism()): Promise<SessionSource[]> {
    const { servers = [], maxSessions: maxEnvs, ...options } = this.options as RemoteOptions;
    const { connectTimeout, messageTimeout, reconnectTimeout, headers } = options;
    const source: SessionSource = {
      module: require.resolve('./sessions'),
      spec: this.spec,
      servers: [this.url, ...servers],
      maxEnvs,
      ...(this.drawing && { drawn: true }),
      ...{ connectTimeout, messageTimeout, reconnectTimeout, headers },
    };
    return Array<SessionSource>(count).fill(source);
  }

  /**
   * Starts an episode, in a new session if the last one was lost, and returns its
   * first observation.
   *
   * @param args `seed`, `episode_id`, and other arguments of the environment
   */
  async reset(args: ResetArguments = {}): Promise<StepResult<Observation>> {
    await this.connection.revive();
    const result = (await this.client.reset(args)) as StepResult<Observation>;
    this.first = this.newest = result.observation;
    return result;
  }

  /** Takes a step and returns its result. An action that does not fit the schema is not sent: rejects with a `VALIDATION_ERROR` that names field, value and what is valid. */
  step(action: Action): Promise<StepResult<Observation>> {
    try {
      this.check?.(action);
    } catch (error) {
      return Promise.reject(error);
    }
    const problemsOf = (error: unknown): never => {
      throw this.schemas && error instanceof OpenEnvError ? meantError(error, this.schemas.action, action) : error;
    };
    return this.client.step(action).then((result) => {
      this.newest = result.observation as Observation;
      return result as StepResult<Observation>;
    }, problemsOf);
  }

  /**
   * Resolves to the picture of the moment, which is displayed: what `render()` of a class in the notebook returns, else
   * the picture in the newest observation. Rejects with `INVALID_ARGUMENT` where there is none.
   */
  async render(): Promise<MimeBundle> {
    const drawn = this.drawing && (await this.state().then((state) => this.drawing!.now(state as EpisodeState)));
    return pictureBundle(drawn ?? observationPicture(this.newest), this.name);
  }

  /** Makes the frames of a recorded episode again, with the `render()` of a class in the notebook. */
  redraw(episode: EpisodeRecord, every: number): Promise<EpisodeFrames | undefined> {
    return this.drawing?.frames(episode, every) ?? Promise.resolve(undefined);
  }

  /** Returns the picture, as SVG, of an episode that a session plays now: what `render()` of a class in the notebook returns. */
  drawEpisode(episodeId: string): string | undefined {
    return this.drawing?.svg(episodeId);
  }

  /** Returns the server's state of the episode. */
  state(): Promise<State> {
    return this.client.state() as Promise<State>;
  }

  /** Returns the JSON Schemas of action, observation and state. */
  async schema(): Promise<EnvironmentSchema> {
    return this.schemas ?? this.client.schema();
  }

  /** Returns the server's name, description and version of the environment. */
  async metadata(): Promise<EnvironmentMetadata> {
    return this.about;
  }

  /** Returns the status of `GET /health`: "healthy". */
  health(): Promise<string> {
    return this.client.health();
  }

  /** Returns the environment's tools (MCP). Rejects with `NOT_SUPPORTED` when it has none. */
  listTools(): Promise<Tool[]> {
    return this.client.listTools();
  }

  /**
   * Calls a tool of the environment (MCP) in this session, beside `step`, and
   * returns its result; there is no reward. In environments whose actions are
   * calls, a step has one:
   * `step({ type: 'call_tool', tool_name: name, arguments: args })`.
   */
  callTool(name: string, args: Record<string, unknown> = {}): Promise<any> {
    return this.client.callTool(name, args);
  }

  /** Opens another session with the same server, as `new_session` of OpenEnv's Python client does; the caller closes it. */
  newSession(options: ClientOptions = {}): Promise<OpenEnvClient> {
    return this.connection.newSession(options);
  }

  /** Closes the session, for example to free it for a rollout when the server has only one. The next `reset` opens another. */
  release(): Promise<void> {
    return this.client.release();
  }

  /** Returns the content of the card, with a first frame if observations have pictures. Starts an episode for it if none was started yet. */
  protected async cardContent(): Promise<CardContent> {
    const { description, version } = this.about;
    const frame = await this.firstFrame().catch(() => undefined);
    const playable = frame && !this.closed ? await this.drawing?.play(this).catch(() => undefined) : undefined;
    const { headers, ...options } = this.options; // they may hold a token
    return {
      ...this,
      environment: this.connection.target.name,
      options,
      description,
      release: version,
      schema: this.schemas,
      ...(frame ? { frame: { ...frame, aspect: this.pictureAspect } } : {}),
      ...(playable ? { play: offerPlay(playable) } : {}),
    };
  }

  private async firstFrame(): Promise<PictureFile | undefined> {
    const drawn = await this.drawing?.first();
    if (drawn) return drawn;
    if (!this.first && hasPicture(this.schemas?.observation)) await this.reset({ seed: 0 });
    return observationPicture(this.first);
  }

  [TYPING](): EnvironmentTyping | null {
    return this.schemas && this.typing(this.schemas);
  }

  private typing(schemas: EnvironmentSchema): EnvironmentTyping {
    const refresh = async () =>
      this.typing(readSchemas(await getJson(`${this.url}/schema`, { timeout: 3000 }))?.schemas ?? schemas);
    return { ...schemaTyping('RemoteEnvironment', this.target, schemas, this.about.description), refresh };
  }

  [SESSIONS](): SessionCount | null {
    return this.connection.closed ? null : sessionCount(this.client);
  }

  /** Ends the session, and stops the server if it was started for it. */
  async close(): Promise<void> {
    this.closed = true;
    forgotten.unregister(this);
    this.drawing?.endPlay();
    await this.connection.close();
  }

  private get client(): OpenEnvClient {
    return this.connection.client;
  }
}

/** Returns `null` for a server without schemas; warns when it has some that cannot be used. */
function withoutDocument(error: unknown): null {
  if (error instanceof OpenEnvError && error.code === 'PROTOCOL_ERROR')
    console.warn(`${error.message} The environment is used without its schemas.`);
  return null;
}
