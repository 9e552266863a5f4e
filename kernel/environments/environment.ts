import type { EnvironmentSchema } from '../openenv/protocol';
import type { HumanReturn } from './reference';
import type { EpisodeSpec, VectorSource } from './vectorEnv';

/** A number that a strategy sees in its `state`. */
export interface StateVariable {
  /** Name in `state`: "ball_x". */
  name: string;
  /** What it is, in a few words, with its unit: for the card and the prompt. */
  description: string;
  /** Smallest and largest value. */
  minimum: number;
  maximum: number;
}

/** An environment that policies can play. */
export interface RolloutEnvironment {
  /** What is played: "breakout", or the name that a server gives itself. */
  readonly name: string;
  /** The kind of environment ("atari"), or the address of its server. */
  readonly environment: string;
  /** Whether it comes with Joylab: then `environment` and the options say all that it is. */
  readonly builtIn: boolean;
  /** Whether its vector environments have pictures. */
  readonly draws: boolean;
  /** Names of the actions, where there are a few; an action's ID is its index. */
  readonly actions: readonly string[];
  readonly stateVariables?: ReadonlyArray<Pick<StateVariable, 'name' | 'minimum' | 'maximum'>>;
  /** JSON Schemas of action, observation and state, where strategies see what these tell. */
  readonly schemas?: EnvironmentSchema | null;
  readonly description?: string;
  /** What a human gets in it, where that is known. */
  readonly human?: HumanReturn;
  /** What the records of its episodes have in common. */
  readonly spec: EpisodeSpec;
  /** Where the vector environments that policies play come from: for each of `count` threads a source, by default for one per core. Starts what plays them. */
  vectorSources(count?: number): Promise<VectorSource[]>;
  /** The environment of an earlier episode's options, where these can be others. */
  withOptions?(options: Record<string, unknown>): RolloutEnvironment;
  /** Gives back the session of its own, which may be the only one that a server has. The next reset opens another. */
  release?(): Promise<void>;
}
