import type { OpenEnvError } from '../openenv/errors';
import type { JsonSchema } from '../schema/jsonSchema';

/** The observation of a policy after a reset or a step. */
export interface Observation {
  /** Named numbers where `arrays` is there; else what the environment calls an observation. */
  state: Record<string, any>;
  /** Further members of the state, arrays of bytes: the policies that name one get it as an array of numbers. */
  arrays?: Readonly<Record<string, Uint8Array>>;
}

/** The result of a reset or a step of some sub-environments. Entry i belongs to `indices[i]` of the request. */
export interface VectorStep {
  observations: readonly Observation[];
  /** 0 after a reset. */
  rewards: ArrayLike<number>;
  /** True where the episode is over, as in Gymnasium: by the environment's rules, or because it was cut off. */
  terminated: ArrayLike<number | boolean>;
  truncated: ArrayLike<number | boolean>;
  /** Lives left, where the environment has lives. */
  lives?: ArrayLike<number>;
  /** Pictures of those that have one now: indices into the palette of the {@link Screen}, row by row, or SVG. */
  frames?: ReadonlyArray<Uint8Array | string | null>;
  /** The reason why a sub-environment did not do what it was asked to: `VALIDATION_ERROR` where an action was refused. The others did. */
  errors?: ReadonlyArray<OpenEnvError | undefined>;
}

/** The screen on which frames of palette indices are shown. */
export interface Screen {
  /** Pixels. */
  width: number;
  height: number;
  /** Width divided by height of a frame as it should appear. Default: that of square pixels. */
  aspect?: number;
  /** 3 bytes (red, green, blue) per colour. */
  palette: Uint8Array;
  /** In real time. */
  stepsPerSecond: number;
}

/**
 * Several sub-environments of one environment, numbered from 0, each with an
 * episode of its own: what policies play. Gymnasium's vector environment,
 * except that each request names the sub-environments it is for, so that each
 * episode starts and ends when it likes.
 *
 * #### Notes
 * A request rejects where the environment as a whole is lost: all its episodes are.
 */
export interface VectorEnv {
  readonly numEnvs: number;
  /** The screen of its frames, where they are palette indices. */
  readonly screen?: Screen;
  /** Starts an episode in each of `indices` from `seeds[i]`. `every`: a frame comes with this answer and after every so many steps; 0: none. */
  reset(indices: number[], seeds: number[], options: { every: number }): Promise<VectorStep>;
  /** Plays one step in each of `indices`. */
  step(indices: number[], actions: unknown[]): Promise<VectorStep>;
  /** The SVG picture of an episode as it stands, where an environment draws; those on a screen have frames alone. */
  render?(index: number): string | undefined;
  /** Episodes as they stand. They go on in any vector environment of the same options. */
  saveState?(indices: number[]): Promise<Uint8Array[]>;
  restoreState?(indices: number[], states: Uint8Array[]): Promise<void>;
  close(): Promise<void>;
}

/** The part that all records of episodes in an environment have in common: plain data. */
export interface EpisodeSpec {
  /** Name of the environment in records. */
  environment: string;
  /** Its options: with seed and actions they replay an episode. */
  options: Record<string, unknown>;
  /** Names of the actions; without `actionSchema`, an action is an index into them. */
  actions: readonly string[];
  /** JSON Schema of the actions, where they are objects; `actions` names the values of an action's one field. */
  actionSchema?: JsonSchema;
  /** Numbers of the state that are recorded, a column each. */
  stateVariables: readonly string[];
  /** True where observations are recorded whole. */
  observations: boolean;
}

/** A source of vector environments: plain data, which travels to the thread that plays. */
export interface VectorSource {
  /** The module that opens them: it exports an {@link OpenVectorEnvs} as `openVectorEnvs`. */
  module: string;
  spec: EpisodeSpec;
  /** Episodes at a time, at most, all threads together. */
  maxEnvs?: number;
  /** A server that plays for one thread at a time. */
  server?: string;
}

/** Opens vector environments of one source, one after the other. */
export interface VectorEnvs {
  /**
   * One for up to `numEnvs` episodes. Else why there is none: every place is
   * taken (`full`), or no server answers (`away`), which may change; `none` does not.
   */
  open(numEnvs: number): Promise<VectorEnv | 'full' | 'away' | 'none'>;
  /** True where episodes of one that was lost can be played again in another; else the loss of one is that of all. */
  readonly replaces: boolean;
  /** Returns why there are no more, after `none` or a wait in vain. */
  failure(waited: number): OpenEnvError;
  /** Closes what is open; episodes under way fail. */
  close(): Promise<void>;
}

export type OpenVectorEnvs<Source extends VectorSource = VectorSource> = (source: Source) => VectorEnvs;

/** Opens the vector environments of a source in this thread. */
export function openVectorEnvs(source: VectorSource): VectorEnvs {
  return (require(source.module) as { openVectorEnvs: OpenVectorEnvs }).openVectorEnvs(source);
}
