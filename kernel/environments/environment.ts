import type { EnvironmentSchema } from '../openenv/protocol';
import type { HumanReturn } from './reference';
import type { EpisodeSpec, VectorSource } from './vectorEnv';

/** A number that a strategy sees in its `state`. */
export interface StateVariable {
  /** Name in `state`: "ball_x". */
  name: string;
  /** Its meaning in a few words, with its unit: for the card and the prompt. */
  description: string;
  /** Smallest and largest value. */
  minimum: number;
  maximum: number;
}

/** An environment that policies can play. */
export interface RolloutEnvironment {
  /** Name of what is played: "breakout", or the name that a server gives itself. */
  readonly name: string;
  /** The kind of environment ("atari"), or the address of its server. */
  readonly environment: string;
  /** True where it comes with Joylab: then `environment` and the options say all that it is. */
  readonly builtIn: boolean;
  /** True where its vector environments have pictures. */
  readonly draws: boolean;
  /** Names of the actions, where there are a few; an action's ID is its index. */
  readonly actions: readonly string[];
  readonly stateVariables?: ReadonlyArray<Pick<StateVariable, 'name' | 'minimum' | 'maximum'>>;
  /** JSON Schemas of action, observation and state, where strategies see what these tell. */
  readonly schemas?: EnvironmentSchema | null;
  readonly description?: string;
  /** A human's mean return in it, where that is known. */
  readonly human?: HumanReturn;
  /** The part that the records of its episodes have in common. */
  readonly spec: EpisodeSpec;
  /** Returns the sources of the vector environments that policies play, for each of `count` threads one, by default for one per core. Starts what plays them. */
  vectorSources(count?: number): Promise<VectorSource[]>;
  /** The environment of an earlier episode's options, where these can be others. */
  withOptions?(options: Record<string, unknown>): RolloutEnvironment;
  /** Gives back the session of its own, which may be the only one that a server has. The next reset opens another. */
  release?(): Promise<void>;
}
