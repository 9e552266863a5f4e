import type { PixelScreen } from '../episodes/live';
import type { OpenEnvError } from '../openenv/errors';
import type { JsonSchema } from '../schema/jsonSchema';

/** The observation of a policy after a reset or a step. */
export interface Observation {
  /** Named numbers when there are `arrays`; else the environment's observation. */
  state: Record<string, any>;
  /** Further members of the state, arrays of bytes: a strategy that names one gets it as an array of numbers. */
  arrays?: Readonly<Record<string, Uint8Array>>;
}

/** The result of a reset or a step of some sub-environments. Entry i belongs to `indices[i]` of the request. */
export interface VectorStep {
  observations: readonly Observation[];
  /** 0 after a reset. */
  rewards: ArrayLike<number>;
  /** Whether the episode has ended, as in Gymnasium: by the environment's rules, or because it was cut off. */
  terminated: ArrayLike<number | boolean>;
  truncated: ArrayLike<number | boolean>;
  /** Lives left, if the environment has lives. */
  lives?: ArrayLike<number>;
  /** Frames of the sub-environments that have one now: indices into the palette of the {@link Screen}, `height × width`, row by row, or SVG. */
  frames?: ReadonlyArray<Uint8Array | string | null>;
  /** The errors of the sub-environments that failed: `VALIDATION_ERROR` when an action was refused. */
  errors?: ReadonlyArray<OpenEnvError | undefined>;
}

/** A picture of an episode: palette indices of the {@link Screen}, an SVG, or the ID of an episode that the class of its server draws, in the process of the notebook (`drawEpisode` of a `RolloutEnvironment`). */
export type Picture = Uint8Array | string | { episodeId: string };

/** The screen on which frames of palette indices are shown. */
export interface Screen extends PixelScreen {
  /** Steps per second in real time. */
  stepsPerSecond: number;
}

/**
 * Several sub-environments of one environment, numbered from 0, each with an
 * episode of its own: Gymnasium's vector environment, except that each request
 * names the sub-environments it is for, so that episodes start and end
 * independently.
 *
 * #### Notes
 * A request rejects when the environment as a whole is lost, and with it all its
 * episodes.
 */
export interface VectorEnv {
  readonly numEnvs: number;
  /** The screen of its frames, if they are palette indices. */
  readonly screen?: Screen;
  /** Starts an episode in each of `indices`, from `seeds[i]`. `every`: this answer has a frame, and then that of each step whose number is a multiple of it; 0: none has. */
  reset(indices: number[], seeds: number[], options: { every: number }): Promise<VectorStep>;
  /** Takes a step in each of `indices`, with `actions[i]`. */
  step(indices: number[], actions: unknown[]): Promise<VectorStep>;
  /** Resolves to the current pictures of episodes, which go on as if nobody had looked; undefined where one has none. Undefined for environments that never have. Rejects when the environment is lost. */
  render?(indices: number[]): Promise<Array<Picture | undefined>>;
  close(): Promise<void>;
}

/** What all records of episodes in an environment have in common: plain data. */
export interface EpisodeSpec {
  /** Name of the environment in records. */
  environment: string;
  /** Its options: with seed and actions they replay an episode. */
  options: Record<string, unknown>;
  /** Names of the actions; without `actionSchema`, an action is an index into them. */
  actions: readonly string[];
  /** JSON Schema of the actions, if they are objects; `actions` names the values of an action's one field. */
  actionSchema?: JsonSchema;
  /** Names of the numbers of the state that are recorded, a column each. */
  stateVariables: readonly string[];
  /** Whether observations are recorded whole. */
  observations: boolean;
}

/** A source of vector environments: plain data, which is sent to the thread that plays. */
export interface VectorSource {
  /** The module that opens them: it exports an {@link OpenVectorEnvs} as `openVectorEnvs`. */
  module: string;
  spec: EpisodeSpec;
  /** Episodes at a time, at most, of all threads together. */
  maxEnvs?: number;
  /** Address of a server that one thread at a time may use. */
  server?: string;
}

/** Opens vector environments of one source, one after the other. */
export interface VectorEnvs {
  /**
   * Returns one with up to `numEnvs` sub-environments, or why there is none: all
   * sessions are in use (`full`), or no server answers (`away`), which may change;
   * `none` does not.
   */
  open(numEnvs: number): Promise<VectorEnv | 'full' | 'away' | 'none'>;
  /** Whether episodes of one that was lost can be played again in another; else all are lost with it. */
  readonly replaces: boolean;
  /** Returns the reason why there are no more, after `none`, or after a wait of `waited` milliseconds. */
  failure(waited: number): OpenEnvError;
  /** Closes what is open; episodes under way fail. */
  close(): Promise<void>;
}

/** The function that a module of {@link VectorSource.module} exports as `openVectorEnvs`. */
export type OpenVectorEnvs<Source extends VectorSource = VectorSource> = (source: Source) => VectorEnvs;

/** Returns what opens vector environments of a source in this thread. */
export function openVectorEnvs(source: VectorSource): VectorEnvs {
  return (require(source.module) as { openVectorEnvs: OpenVectorEnvs }).openVectorEnvs(source);
}
