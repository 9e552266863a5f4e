import type { MimeBundle } from '../display/host';
import { OpenEnvClient, type ClientOptions } from '../openenv/client';
import { OpenEnvError } from '../openenv/errors';
import type { EnvironmentMetadata, EnvironmentSchema, EpisodeState, ResetArguments, StepResult } from '../openenv/protocol';
import { environmentBundle } from './card';
import type { StateVariable } from './environment';

/** Options of `openenv(url, …)`. Times in milliseconds. */
export type RemoteOptions = Pick<ClientOptions, 'connectTimeout' | 'messageTimeout'>;

const OPTION_NAMES = ['connectTimeout', 'messageTimeout'];

/** A session with any OpenEnv server. Made by `openenv(url)`; the types of action, observation and state may be given. */
export class RemoteEnvironment<Action extends object = Record<string, any>, Observation = Record<string, any>, State = EpisodeState> {
  /** The server's address. */
  readonly environment: string;
  /** The name that the server gives itself. */
  readonly name: string;
  readonly actions: string[] = [];
  readonly stateVariables: StateVariable[] = [];

  private constructor(
    private readonly client: OpenEnvClient,
    private readonly about: EnvironmentMetadata,
    readonly options: Record<string, unknown>,
  ) {
    this.environment = client.url;
    this.name = about.name;
  }

  /** Opens a session with the server at `url`. */
  static async open(url: string, options: RemoteOptions = {}): Promise<RemoteEnvironment> {
    for (const name of Object.keys(options)) {
      if (!OPTION_NAMES.includes(name)) throw new OpenEnvError('INVALID_ARGUMENT', `A server by its address has no option '${name}'. The options are: ${OPTION_NAMES.join(', ')}.`);
    }
    const client = await OpenEnvClient.connect(url, options);
    await client.state().catch(error => refuse(client, error));
    const about = await client.metadata().catch(() => ({ name: client.url, description: '' })); // old servers have none
    return new RemoteEnvironment(client, about, { ...options });
  }

  /** Starts an episode. */
  reset(args: ResetArguments = {}): Promise<StepResult<Observation>> {
    return this.client.reset(args) as Promise<StepResult<Observation>>;
  }

  /** Takes one step; `schema` tells what an action is. */
  step(action: Action): Promise<StepResult<Observation>> {
    return this.client.step(action) as Promise<StepResult<Observation>>;
  }

  /** What the server tells about the episode. */
  state(): Promise<State> {
    return this.client.state() as Promise<State>;
  }

  schema(): Promise<EnvironmentSchema> {
    return this.client.schema();
  }

  async metadata(): Promise<EnvironmentMetadata> {
    return this.about;
  }

  /** The card: name and description. */
  card(): MimeBundle {
    return environmentBundle({ ...this, description: this.about.description });
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return this.card();
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
