import type { MimeBundle } from '../display/host';
import { actionCheck, type ActionCheck } from '../openenv/actionCheck';
import { getJson, OpenEnvClient, type ClientOptions } from '../openenv/client';
import { OpenEnvError } from '../openenv/errors';
import type { EnvironmentMetadata, EnvironmentSchema, EpisodeState, ResetArguments, StepResult } from '../openenv/protocol';
import { environmentBundle } from './card';
import type { SessionEnvironment, SessionSource, StateVariable } from './environment';
import { hasPicture, observationPicture, type PictureFile } from './picture';
import { schemaTyping, TYPING, type EnvironmentTyping } from './typing';

/** Options of `openenv(url, …)`. Times in milliseconds. */
export interface RemoteOptions extends Pick<ClientOptions, 'connectTimeout' | 'messageTimeout'> {
  /** Addresses of further servers of the same environment: rollouts play on all of them. */
  servers?: string[];
  /** How long a rollout waits for a server that it lost; default 10,000. */
  reconnectTimeout?: number;
  /** Sessions that a rollout opens at a time, at most; by default as many as the servers allow, up to 32. */
  maxSessions?: number;
}

const OPTION_NAMES = ['connectTimeout', 'messageTimeout', 'reconnectTimeout', 'servers', 'maxSessions'];

/**
 * A session with any OpenEnv server. Made by `openenv(url)`. In a notebook its
 * types come from the server's schemas once the cell ran; elsewhere they may
 * be given.
 */
export class RemoteEnvironment<Action extends object = Record<string, any>, Observation = Record<string, any>, State = EpisodeState> implements SessionEnvironment {
  /** The server's address. */
  readonly environment: string;
  /** The name that the server gives itself. */
  readonly name: string;
  readonly actions: string[] = [];
  readonly stateVariables: StateVariable[] = [];
  readonly sessionSource: SessionSource;
  readonly description: string;
  private released = false;
  /** Draws the first frame of an episode, where the environment runs in this process. */
  preview?: () => Promise<PictureFile | undefined>;
  /** The observation that the last episode began with. */
  private first: Observation | undefined;

  private constructor(
    private client: OpenEnvClient,
    private readonly about: EnvironmentMetadata,
    /** JSON Schemas of action, observation and state; old servers give none. */
    readonly schemas: EnvironmentSchema | null,
    private readonly check: ActionCheck | null,
    /** What `openenv` was asked for. */
    private readonly target: string,
    readonly options: Record<string, unknown>,
  ) {
    this.environment = client.url;
    ({ name: this.name, description: this.description } = about);
    const { servers = [], ...rest } = options as RemoteOptions;
    this.sessionSource = { servers: [client.url, ...servers], ...rest };
  }

  /**
   * Opens a session with the server at `url`.
   *
   * @param target what the user asked for, where that is not the address
   */
  static async open(url: string, options: RemoteOptions = {}, target = url): Promise<RemoteEnvironment<any, any, any>> {
    for (const name of Object.keys(options)) {
      if (!OPTION_NAMES.includes(name)) throw new OpenEnvError('INVALID_ARGUMENT', `A server by its address has no option '${name}'. The options are: ${OPTION_NAMES.join(', ')}.`);
    }
    const client = await OpenEnvClient.connect(url, options);
    await client.state().catch(error => refuse(client, error));
    const [about, schemas] = await Promise.all([
      client.metadata().catch(() => ({ name: client.url, description: '' })), // old servers have none
      client.schema().catch(() => null),
    ]);
    return new RemoteEnvironment(client, about, schemas, schemas && actionCheck(schemas.action), target, { ...options });
  }

  /** Starts an episode. */
  async reset(args: ResetArguments = {}): Promise<StepResult<Observation>> {
    if (this.released) this.client = await OpenEnvClient.connect(this.environment, this.options as RemoteOptions);
    this.released = false;
    const result = (await this.client.reset(args)) as StepResult<Observation>;
    this.first = result.observation;
    return result;
  }

  /** Takes one step. An action that does not fit the schema is not sent: `VALIDATION_ERROR` names field, value and what is valid. */
  async step(action: Action): Promise<StepResult<Observation>> {
    this.check?.(action);
    return this.client.step(action) as Promise<StepResult<Observation>>;
  }

  /** What the server tells about the episode. */
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

  /**
   * The card: name, description, fields of action, observation and state, and
   * the first frame where observations have pictures. If no episode was
   * started yet, one is for it.
   */
  async card(): Promise<MimeBundle> {
    const { description, version } = this.about;
    const frame = await this.firstFrame().catch(() => undefined);
    return environmentBundle({ ...this, description, release: version, schema: this.schemas, ...(frame ? { frame } : {}) });
  }

  private async firstFrame(): Promise<PictureFile | undefined> {
    if (this.preview) return this.preview();
    if (!this.first && hasPicture(this.schemas?.observation)) await this.reset({ seed: 0 });
    return observationPicture(this.first);
  }

  [Symbol.for('Jupyter.display')](): Promise<MimeBundle> {
    return this.card();
  }

  [TYPING](): EnvironmentTyping | null {
    return this.schemas && this.typing(this.schemas);
  }

  private typing(schemas: EnvironmentSchema): EnvironmentTyping {
    const refresh = async () => this.typing(await getJson(this.environment, '/schema', 3000));
    return { ...schemaTyping('RemoteEnvironment', this.target, schemas, this.about.description), refresh };
  }

  /** Gives the session back, for example to a rollout on a server that has only one. The next reset opens another. */
  async release(): Promise<void> {
    this.released = true;
    await this.client.close();
  }

  /** Ends the session. */
  close(): Promise<void> {
    return this.client.close();
  }
}

/** A server that has no session left says so as soon as it is asked anything. */
async function refuse(client: OpenEnvClient, error: unknown): Promise<void> {
  if (error instanceof OpenEnvError && error.code === 'EXECUTION_ERROR') return; // some have no state before the first reset
  await client.close();
  throw error;
}
