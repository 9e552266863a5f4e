import type { EnvironmentSchema } from '../openenv/protocol';
import type { EpisodeRecord } from '../episodes/episode';
import type { EpisodeFrames } from '../episodes/frames';
import type { HumanReturn } from './reference';
import type { EpisodeSpec, VectorSource } from './vectorEnv';

/** A number that a strategy sees in its `state`. */
export interface StateVariable {
  /** Name in `state`: "ball_x". */
  name: string;
  /** Its meaning in a few words, with its unit, for the card and the prompt. */
  description: string;
  /** Smallest and largest value. */
  minimum: number;
  maximum: number;
}

/** An environment that policies can play. */
export interface RolloutEnvironment {
  /** Name of the environment, or of its game: "breakout"; of a server, the name in its metadata. */
  readonly name: string;
  /** The kind of environment ("atari"), or the address of its server. */
  readonly environment: string;
  /** Whether it comes with Joylab: then `environment` and the options determine it. */
  readonly builtIn: boolean;
  /** Whether its vector environments have frames. */
  readonly draws: boolean;
  /** Names of the actions; an action's ID is its index. Empty when actions have no names. */
  readonly actions: readonly string[];
  readonly stateVariables?: ReadonlyArray<Pick<StateVariable, 'name' | 'minimum' | 'maximum'>>;
  /** JSON Schemas of action, observation and state, when strategies see observations as these describe them. */
  readonly schemas?: EnvironmentSchema | null;
  readonly description?: string;
  /** A human's mean return in it, if that is known. */
  readonly human?: HumanReturn;
  /** What the records of its episodes have in common. */
  readonly spec: EpisodeSpec;
  /** Returns the sources of the vector environments that policies play: one for each of `count` threads, by default for one per core. Starts the processes that they need. */
  vectorSources(count?: number): Promise<VectorSource[]>;
  /** Returns the environment of an earlier episode's options. Undefined for environments without options. */
  withOptions?(options: Record<string, unknown>): RolloutEnvironment;
  /**
   * Makes the frames of a recorded episode again, one after each `every` steps and one at its end, where the class of
   * its server is in this process. Resolves to `undefined` where the class draws nothing, or does not follow the record.
   */
  redraw?(episode: EpisodeRecord, every: number): Promise<EpisodeFrames | undefined>;
  /** Returns the picture, as SVG, of an episode that a session plays now, where the class of its server is in this process and draws one. */
  drawEpisode?(episodeId: string): string | undefined;
  /** Closes its own session, which may be the only one that a server has. The next reset opens another. */
  release?(): Promise<void>;
}
