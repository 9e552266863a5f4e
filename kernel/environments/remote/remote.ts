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
import type { CardContent } from '../card/card';
import { checkedTarget, Connection, type RemoteOptions } from './connection';
import type { RolloutEnvironment, StateVariable } from '../environment';
import { OpenedEnvironment } from '../opened';
import { livingServers } from './pool';
import { hasPicture, observationPicture, type PictureFile } from '../card/picture';
import type { SessionSource } from './sessions';
import { schemaTyping, TYPING, type EnvironmentTyping } from '../typing';
import type { EpisodeSpec } from '../vectorEnv';

export type { RemoteOptions };

/** Environments that nobody holds any more, for example after their cell ran again: their sessions and servers are closed. */
const forgotten = new FinalizationRegistry<Connection>((connection) => void connection.close());

/**
 * A session with any OpenEnv server. Made by `openenv(target)`. In a notebook
 * its types come from the server's schemas once the cell ran; elsewhere they
 * may be given.
 *
 * #### Notes
 * A session that is lost in mid-episode is an error that says so. The next
 * `reset` opens a new session, on a server started anew where it was started
 * here and has ended.
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
  /** The name that the server gives itself. */
  readonly name: string;
  readonly actions: string[] = [];
  readonly stateVariables: StateVariable[] = [];
  readonly description: string;
  /** Draws the first frame of an episode, where the environment runs in this process. */
  preview?: () => Promise<PictureFile | undefined>;
  /** Width divided by height of pictures in observations, where their pixels are not square. */
  pictureAspect?: number;
  /** The observation that the last episode began with. */
  private first: Observation | undefined;

  private constructor(
    private readonly connection: Connection,
    private readonly about: EnvironmentMetadata,
    /** JSON Schemas of action, observation and state; old servers give none. */
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

  /** Opens a session with the server of a target; starts the server first where it is none that runs already. */
  static async open(target: string, options: RemoteOptions = {}): Promise<RemoteEnvironment<any, any, any>> {
    const { kind } = checkedTarget(target, options);
    const pooled = kind === 'url' && options.servers?.length;
    const [address, ...servers] = pooled ? await livingServers([target, ...options.servers!], options) : [target];
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

  /** The server's address. One that is started again has another. */
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

  /** Sessions with the servers, of which each thread that plays opens some. */
  async vectorSources(count = availableParallelism()): Promise<SessionSource[]> {
    const { servers = [], maxSessions: maxEnvs, ...options } = this.options as RemoteOptions;
    const { connectTimeout, messageTimeout, reconnectTimeout, headers } = options;
    const source: SessionSource = {
      module: require.resolve('./sessions'),
      spec: this.spec,
      servers: [this.url, ...servers],
      maxEnvs,
      ...{ connectTimeout, messageTimeout, reconnectTimeout, headers },
    };
    return Array<SessionSource>(count).fill(source);
  }

  /**
   * Starts an episode, in a new session where the last one was lost.
   *
   * @param args `seed`, `episode_id`, and what else the environment knows
   */
  async reset(args: ResetArguments = {}): Promise<StepResult<Observation>> {
    await this.connection.revive();
    const result = (await this.client.reset(args)) as StepResult<Observation>;
    this.first = result.observation;
    return result;
  }

  /** Takes one step. An action that does not fit the schema is not sent: `VALIDATION_ERROR` names field, value and what is valid. */
  step(action: Action): Promise<StepResult<Observation>> {
    try {
      this.check?.(action);
    } catch (error) {
      return Promise.reject(error);
    }
    const problemsOf = (error: unknown): never => {
      throw this.schemas && error instanceof OpenEnvError ? meantError(error, this.schemas.action, action) : error;
    };
    return this.client.step(action).catch(problemsOf) as Promise<StepResult<Observation>>;
  }

  /** Returns what the server tells about the episode. */
  state(): Promise<State> {
    return this.client.state() as Promise<State>;
  }

  /** JSON Schemas of action, observation and state. */
  async schema(): Promise<EnvironmentSchema> {
    return this.schemas ?? this.client.schema();
  }

  async metadata(): Promise<EnvironmentMetadata> {
    return this.about;
  }

  /** `GET /health`: "healthy". */
  health(): Promise<string> {
    return this.client.health();
  }

  /** The environment's tools (MCP). Fails with `NOT_SUPPORTED` where it has none. */
  listTools(): Promise<Tool[]> {
    return this.client.listTools();
  }

  /**
   * Calls a tool of the environment (MCP) in this session, beside `step`: it
   * brings no reward. Where calls are actions, as a step it does:
   * `step({ type: 'call_tool', tool_name: name, arguments: args })`.
   */
  callTool(name: string, args: Record<string, unknown> = {}): Promise<any> {
    return this.client.callTool(name, args);
  }

  /** Another session with the same server, as `new_session` of OpenEnv's Python client; it is closed on its own. */
  newSession(options: ClientOptions = {}): Promise<OpenEnvClient> {
    return this.connection.newSession(options);
  }

  /** Gives the session back to the server, for example to a rollout where there is only one. The next `reset` opens one again. */
  release(): Promise<void> {
    return this.client.release();
  }

  /** The first frame is there where observations have pictures. If no episode was started yet, one is for it. */
  protected async cardContent(): Promise<CardContent> {
    const { description, version } = this.about;
    const frame = await this.firstFrame().catch(() => undefined);
    const { headers, ...options } = this.options; // they may hold a token
    return {
      ...this,
      environment: this.connection.target.name,
      options,
      description,
      release: version,
      schema: this.schemas,
      ...(frame ? { frame: { ...frame, aspect: this.pictureAspect } } : {}),
    };
  }

  private async firstFrame(): Promise<PictureFile | undefined> {
    if (this.preview) return this.preview();
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

  /** Ends the session, and stops the server where it was started for this. */
  async close(): Promise<void> {
    forgotten.unregister(this);
    await this.connection.close();
  }

  private get client(): OpenEnvClient {
    return this.connection.client;
  }
}

/** A server without schemas is used without them; where they cannot be used, the user is told why. */
function withoutDocument(error: unknown): null {
  if (error instanceof OpenEnvError && error.code === 'PROTOCOL_ERROR')
    console.warn(`${error.message} The environment is used without its schemas.`);
  return null;
}
