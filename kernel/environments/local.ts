import type { ValidationFailure } from '../schema/problems';
import { availableParallelism } from 'node:os';
import type { MimeBundle } from '../display/cellContext';
import { invalid } from '../openenv/actionCheck';
import { OpenEnvError } from '../openenv/errors';
import type {
  EnvironmentMetadata,
  EnvironmentSchema,
  EpisodeState,
  ResetArguments,
  StepResult,
} from '../openenv/protocol';
import type { EnvironmentClass } from '../openenv/serving';
import { EpisodeRunner } from '../openenv/serving/episode';
import type { Contract } from '../openenv/serving/schemas';
import type { SessionCount } from '../display/overview';
import type { CardContent } from './card/card';
import type { ClassSource } from './classEnv';
import type { RolloutEnvironment } from './environment';
import { OpenedEnvironment } from './opened';
import { SESSIONS } from './sessionCount';
import { pictureBundle, renderedPicture, type PictureFile } from './card/picture';
import type { EpisodeSpec, VectorSource } from './vectorEnv';

/** What a built-in environment that is a class has beyond the class. */
export interface LocalAbout {
  /** The name that opens it. */
  environment: string;
  /** Names of the actions; an action's ID is its index. */
  actions: readonly string[];
  /** The module that exports the class under its name, for rollouts. */
  module: string;
  /** Its options with their defaults: arguments of every `reset` of the class, also in rollouts and replays. */
  options?: Record<string, unknown>;
  /** The variables of its state, for programs that need them beside the schema; card and prompt use the schema. */
  stateVariables?: CardContent['stateVariables'];
}

/**
 * A session with an environment in this process: the methods and checks of an
 * OpenEnv client, without a server.
 */
export class LocalEnvironment<
    Action extends object = Record<string, any>,
    Observation = Record<string, any>,
    State = EpisodeState,
  >
  extends OpenedEnvironment
  implements RolloutEnvironment
{
  readonly builtIn = true;
  readonly draws = true;
  readonly environment: string;
  readonly name: string;
  readonly actions: string[];
  readonly stateVariables: CardContent['stateVariables'];
  readonly options: Record<string, unknown>;
  readonly spec: EpisodeSpec;
  /** JSON Schemas of action, observation and state. */
  readonly schemas: EnvironmentSchema;
  readonly description: string;
  private readonly runner: EpisodeRunner;
  private closed = false;

  private constructor(
    private readonly type: EnvironmentClass<any>,
    private readonly contract: Contract,
    private readonly about: LocalAbout,
  ) {
    super();
    const { environment, actions, options = {}, stateVariables = [] } = about;
    [this.environment, this.options, this.stateVariables] = [environment, options, stateVariables];
    this.actions = [...actions];
    ({ name: this.name, description: this.description } = contract.metadata);
    this.schemas = contract.schema;
    this.spec = {
      environment: this.environment,
      options,
      actions: this.actions,
      actionSchema: this.schemas.action,
      stateVariables: [],
      observations: true,
    };
    this.runner = new EpisodeRunner(new type(), contract.outputs);
  }

  static async open(type: EnvironmentClass<any>, about: LocalAbout): Promise<LocalEnvironment<any, any, any>> {
    const { contract } = await import('../openenv/serving/schemas.js');
    return new LocalEnvironment(type, contract(type, {}), about);
  }

  /** Returns sources that make objects of the class in the threads that play. */
  async vectorSources(count = availableParallelism()): Promise<VectorSource[]> {
    const source: ClassSource = {
      module: require.resolve('./classEnv'),
      spec: this.spec,
      classModule: this.about.module,
      className: this.type.name,
    };
    return Array<VectorSource>(count).fill(source);
  }

  /** Returns the environment of an earlier episode's options, for its replay. */
  withOptions(options: Record<string, unknown>): LocalEnvironment<Action, Observation, State> {
    return new LocalEnvironment(this.type, this.contract, { ...this.about, options });
  }

  /** Starts an episode and returns its first observation. Rejects with `VALIDATION_ERROR` for arguments that do not fit the class. */
  async reset(args: ResetArguments = {}): Promise<StepResult<Observation>> {
    this.check(() => this.contract.checkReset(args));
    return (await this.runner.reset({ ...args, ...this.options })) as StepResult<Observation>;
  }

  /** Takes a step and returns its result. Rejects with `VALIDATION_ERROR` for an action that does not fit the schema. */
  async step(action: Action): Promise<StepResult<Observation>> {
    const checked = this.check(() => this.contract.checkAction(action));
    return (await this.runner.step(checked)) as StepResult<Observation>;
  }

  /** Returns the state of the episode. */
  async state(): Promise<State> {
    return this.runner.state() as State;
  }

  /** Returns the JSON Schemas of action, observation and state. */
  async schema(): Promise<EnvironmentSchema> {
    return this.contract.schema;
  }

  /** Returns name, description and version of the class. */
  async metadata(): Promise<EnvironmentMetadata> {
    return this.contract.metadata;
  }

  /** Returns the MIME bundle of the current picture. Throws `INVALID_ARGUMENT` when the class has no `render()`. */
  render(): MimeBundle {
    return pictureBundle(renderedPicture(this.runner.environment.render?.()), this.name);
  }

  /** Returns the content of the card, with the first frame of the episode with seed 0. */
  protected async cardContent(): Promise<CardContent> {
    const { description, version } = this.contract.metadata;
    const frame = await firstFrame(this.type, this.options);
    return {
      ...this,
      description,
      release: version,
      schema: this.contract.schema,
      stateVariables: [],
      ...(frame ? { frame } : {}),
    };
  }

  [SESSIONS](): SessionCount | null {
    return this.closed ? null : { open: 1, busy: 0 };
  }

  /** Ends the session. */
  async close(): Promise<void> {
    if (!this.closed) await this.runner.close();
    this.closed = true;
  }

  private check<Result>(work: () => Result): Result {
    if (this.closed) throw new OpenEnvError('CLOSED', 'The environment was closed.');
    try {
      return work();
    } catch (error) {
      const { problems } = error as ValidationFailure;
      throw problems ? invalid('The message', problems) : error;
    }
  }
}

/** Returns the first picture of a class's episode with seed 0; undefined when it has no pictures. */
export async function firstFrame(
  type: EnvironmentClass<any>,
  options: Record<string, unknown> = {},
): Promise<PictureFile | undefined> {
  const example = new EpisodeRunner(new type());
  try {
    if (!example.environment.render) return undefined;
    await example.reset({ ...options, seed: 0 });
    return renderedPicture(example.environment.render());
  } finally {
    await example.close();
  }
}
