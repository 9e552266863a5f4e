import type { RewardsData } from './rewardsMime';

/**
 * The MIME types that the kernel writes and the extension renders, and the
 * comm between a training output and the run it shows. Both sides compile
 * against this file.
 */

import type { ExperimentComparison, ExperimentData } from './experimentMime';

/** One episode with its frames: rendered by the episode player. */
export const EPISODE_MIME = 'application/vnd.joylab.episode.v1+json';

/** A training run: charts, table, newest group. */
export const TRAINING_MIME = 'application/vnd.joylab.training.v1+json';

/** The card of an environment, with its Play button. */
export const ENVIRONMENT_MIME = 'application/vnd.joylab.environment.v1+json';

/** An episode as the player shows it. Frame 0 is the reset, frame i follows step i × `every`. */
export interface EpisodeData {
  version: 1;
  /** Name of the environment, or of its game, for the caption: "breakout". */
  environment: string;
  seed: number;
  /** Pixels of a frame. */
  width: number;
  height: number;
  /** Width divided by height of a frame as it should appear. Default: that of square pixels. */
  aspect?: number;
  /** Base64 of 3 bytes (red, green, blue) per colour. */
  palette: string;
  /** Frames per second at speed 1. */
  fps: number;
  /** Number of frames: one for each `every` steps, plus the first. */
  frameCount: number;
  /** Steps from one frame to the next. */
  every: number;
  /**
   * Base64 of the zlib-deflated frames, `frameCount × height × width` palette
   * indices, one byte each; every frame but the first is XORed with the one
   * before it. Empty when the frames travel in a comm buffer.
   */
  frames: string;
  /**
   * The type of the frames of environments that render SVG or text instead of
   * pixels. `frames` is then base64 of a zlib-deflated JSON array of strings;
   * width and height of a `text/plain` are in characters and lines.
   */
  pictures?: 'image/svg+xml' | 'text/plain';
  /** How frames of pixels are packed, where they are not XORed whole: as `ChangedFrames`, or as `shiftedRows` packs them. */
  encoding?: 'changes' | 'rows';
  /** Names of the actions; `actions` holds indices into them. */
  actionNames: string[];
  /** Per step: the index of the action, the environment's reward, and the lives left, if it has lives. */
  actions: number[];
  rewards: number[];
  lives: number[];
  /** Named state by frame: a column of `frameCount` numbers per variable. */
  states?: Record<string, number[]>;
  /** The end, in words: "terminated", "truncated", "timeout: 2 s of the strategy's own time". */
  end: string;
}

/** What a rollout of a group got. */
export interface RolloutScore {
  /** Index among the samples of the step. */
  index: number;
  /** Weighted sum of its rewards; `null` where no function applies. */
  reward: number | null;
  advantage: number;
  /** By the functions' names; `null` where one does not apply. */
  rewards: Record<string, number | null>;
  /** Why it has no episode, in words. */
  why?: string;
}

/** The rollouts of a step, the best reward first. Episode i is that of score i, `null` where it did not play. */
export interface RolloutGroup {
  step: number;
  episodes: Array<EpisodeData | null>;
  /** Left out in groups of older versions. */
  scores?: RolloutScore[];
  /** Number of the step's rollouts, where these are some of them. */
  of?: number;
}

/** Rollouts of a step that begin to play, in the order of the samples. */
export interface PlayingGroup {
  step: number;
  /** Those that are shown; `why` one does not play, in words. */
  tiles: Array<{ why?: string }>;
  /** Number of the step's rollouts. */
  of: number;
}

/** The pixels of the rollouts that play: see {@link EpisodeData}. */
export type LiveScreen = Pick<EpisodeData, 'width' | 'height' | 'aspect' | 'palette'>;

/** A rollout that plays, as it is now. */
export interface LiveTile {
  /** Index among the tiles of the group. */
  index: number;
  steps: number;
  return: number;
  /** How it ended, in words. */
  end?: string;
  /**
   * Its picture, where that is another than before: so many bytes of the message's buffer, after those of the tiles
   * before it. `pixels`: palette indices; `changes`: index of a word of four of these and its XOR with the picture
   * before, 32 bits each, little-endian; else the text in UTF-8, whose width and height are as in {@link EpisodeData}.
   */
  picture?:
    | { type: 'pixels' | 'changes'; bytes: number }
    | { type: NonNullable<EpisodeData['pictures']>; bytes: number; width: number; height: number };
}

/** The state of a run; `lost`: its kernel ended before it did, which only a view knows. */
export type TrainingStatus = 'running' | 'paused' | 'finished' | 'failed' | 'lost';

/** A mark on the charts' step axis: a pause, a resumption, something wrong with how it learns, or something else, for example a replaced reward function. */
export interface TrainingEvent {
  step: number;
  text: string;
  kind?: 'pause' | 'resume' | 'problem';
}

/** A checkpoint of a run: its folder, as the run was given it. */
export interface SavedCheckpoint {
  step: number;
  folder: string;
}

/** What a run that goes on may be unable to write. */
export type RunProblem = 'checkpoint' | 'rollouts' | 'completions';

/** A training run as its output shows it. */
export interface TrainingData {
  version: 1;
  /** Sent in `comm_open` so that the kernel knows which run the view wants. */
  runId: string;
  status: TrainingStatus;
  /** Steps completed and planned. */
  step: number;
  maxSteps: number;
  /** Names of the reward functions, in their order of registration. */
  rewardNames: string[];
  /** TRL's metrics by their names (`loss`, `reward`, `rewards/<name>/mean`, …), with `step`: one entry per logged step. */
  log: Array<Record<string, number>>;
  events: TrainingEvent[];
  /** The current stage of the run, in words. */
  stage?: string;
  /** The reward functions that it learns from, where a view can change them. */
  rewards?: RewardsData;
  /** The file that keeps its rollouts, relative to the notebook's folder where it is in it. */
  rollouts?: string;
  /** Whether the run has a folder for checkpoints, so that a view can have one written. */
  saves?: boolean;
  /** The newest checkpoint that was written or read: from there the run goes on when its kernel ends. */
  checkpoint?: SavedCheckpoint;
  /** What the run cannot write, in a sentence each; gone once it can again. */
  problems?: Partial<Record<RunProblem, string>>;
  /** Whether a view can have a report of the run made. */
  reports?: boolean;
  /** Whether running the cell again goes on with the paused run, so that a view can offer that. */
  cellResumes?: boolean;
  /** The newest group with its frames, as the notebook's file has it; left out while the run is running. */
  group?: RolloutGroup;
  /** What made its numbers, and these, once it has finished. */
  experiment?: ExperimentData;
  /** The experiment that the notebook had saved, beside it. */
  comparison?: ExperimentComparison;
}

/**
 * The comm between a view of a training output and its run. The view opens it,
 * also after a reload, with `{ runId }` as data; the kernel answers with `data`,
 * then sends the other messages as they happen. They are numbered, by `number`
 * beside their `type`, from 0 for each view: one that misses some says `sync`.
 */
export const TRAINING_COMM = 'joylab.training';

/** Kernel → view. */
export type TrainingMessage =
  | { type: 'data'; data: TrainingData }
  | { type: 'log'; entry: Record<string, number> }
  | { type: 'event'; event: TrainingEvent }
  | { type: 'status'; status: TrainingStatus }
  | ({ type: 'kept' } & Pick<TrainingData, 'checkpoint' | 'problems'>)
  /** The current stage of the run, and the share of it that is done; without `stage`, there is none. */
  | { type: 'stage'; stage?: string; share?: number }
  /** What became of a `control`, in words. */
  | { type: 'notice'; text: string }
  /** What a run that finishes has for the notebook, and what the notebook had before. */
  | { type: 'experiment'; experiment: ExperimentData; comparison?: ExperimentComparison }
  /** The report that a view asked for: buffer 0 holds its HTML. Or why there is none. */
  | { type: 'report'; why?: string }
  /** A group begins to play. It comes as `live` messages where a view has asked for them, and as `group` once it is scored. */
  | ({ type: 'playing' } & PlayingGroup)
  /** What has changed of a group that plays: buffer 0 has its pictures, zlib-deflated. The next comes when this was `drawn`. */
  | { type: 'live'; step: number; tiles: LiveTile[]; screen?: LiveScreen }
  /** The newest group. Buffer i holds the deflated frames of episode i. */
  | ({ type: 'group' } & RolloutGroup)
  /** A rollout with all its frames and its named state; its frames are in buffer 0. Or why there is none. */
  | { type: 'episode'; step: number; index: number; episode: EpisodeData | null; why?: string };

/** View → kernel. A group is sent only while `visible`, and only after the last was acknowledged. */
export type TrainingViewMessage =
  | { type: 'ack'; step: number }
  | { type: 'visible'; visible: boolean }
  /** How many rollouts of a group it shows while they play: 0 while it shows none, or is out of sight. */
  | { type: 'live'; tiles: number }
  | { type: 'drawn' }
  /** Messages were lost on the way: asks for `data` and the newest group again. */
  | { type: 'sync' }
  /**
   * A button: `pause` ends the cell, and the run goes on when it is run again; `stop` ends
   * the run after the step that is under way; `save` writes a checkpoint then.
   */
  | { type: 'control'; control: TrainingControl }
  /** Asks for a rollout of a step, by its index, with all its frames. */
  | { type: 'open'; step: number; index: number }
  /** Asks for a report of the run. */
  | { type: 'report' };

/** What a view can ask of a run. */
export type TrainingControl = 'pause' | 'stop' | 'save';

/** An environment as its card shows it. */
export interface EnvironmentData {
  version: 1;
  /** The kind of environment ("atari"), or the address of its server. */
  environment: string;
  /** Name of the environment, or of its game: "breakout". */
  name: string;
  description?: string;
  /** The environment's own version. */
  release?: string;
  /** Its options, defaults included. */
  options: Record<string, unknown>;
  /** Names of the actions; an action's ID is its index. */
  actions: string[];
  /** The named state that strategies see. */
  variables: Array<{ name: string; description: string; minimum: number; maximum: number }>;
  /** The fields of action, observation and state, from the environment's schemas. */
  tables?: EnvironmentTable[];
  /**
   * The first frame: base64 of a PNG file, or of an image file of the MIME type
   * `type`; width and height, in CSS pixels, at which it should appear, where
   * they are not the file's.
   */
  frame?: { png: string; type?: string; width?: number; height?: number };
  /** Mean returns of random actions, of each constant action and of a human, the lowest first, in episodes of at most `maxSteps` steps. */
  returns?: { maxSteps: number; rows: Array<{ name: string; mean: number }> };
  /** Whether they are being measured. */
  measuring?: boolean;
  /** The ID with which a view opens {@link PLAY_COMM}; left out when people cannot play it. */
  play?: string;
}

/** Fields of an action, an observation or a state. */
export interface EnvironmentTable {
  /** "Action", "Observation", "State". */
  title: string;
  fields: Array<{ name: string; type: string; range: string; description: string; optional: boolean }>;
}

/**
 * The comm between a view of an environment's card and the environment that a
 * person plays in it, in a session of its own. The view opens it with `{ id }`,
 * the card's `play`, as data; the kernel answers with `ready`, or with an
 * `error` that says why not, and closes it. A kernel that has shown no card
 * closes it.
 */
export const PLAY_COMM = 'joylab.play';

/** Kernel → view. */
export type PlayMessage =
  /**
   * An episode can be started. Buffer 0 is the palette: 3 bytes (red, green,
   * blue) per colour. `keys` maps each key that does something, by its
   * `KeyboardEvent.key`, to what it holds down: "UP", "FIRE"…
   */
  | {
      type: 'ready';
      name: string;
      width: number;
      height: number;
      aspect?: number;
      stepsPerSecond: number;
      actions: string[];
      keys: Record<string, string>;
      /** Frames are SVG, and there is no palette. */
      drawn?: boolean;
    }
  /** An episode starts; its frame 0 follows. */
  | { type: 'started'; seed: number }
  /**
   * Buffer 0 holds `height × width` palette indices, or SVG in UTF-8. Frames that the view is
   * too slow for are left out: `reward` is the sum since the frame before.
   */
  | { type: 'frame'; step: number; action: string; reward: number; return: number; lives?: number; done: boolean }
  /** The episode was recorded, and scored by the notebook's reward functions, `null` where one does not apply. */
  | {
      type: 'recorded';
      steps: number;
      return: number;
      rewards: Array<{ name: string; value: number | null }>;
      reward: number | null;
      error?: string;
    }
  /** Why something failed, in words. When the episode cannot go on, the comm is closed after it. */
  | { type: 'error'; text: string };

/** View → kernel. */
export type PlayViewMessage =
  /** Starts an episode, also in the middle of another. Without a seed the kernel draws one. */
  | { type: 'start'; seed?: number }
  /** The keys that are held, in the order in which they were pressed; none: `[]`. */
  | { type: 'keys'; keys: string[] }
  /** An action by its name, held until `keys` or another `action` arrives. */
  | { type: 'action'; action: string }
  | { type: 'pause'; paused: boolean }
  /** Ends the episode, which is recorded as far as it was played. */
  | { type: 'finish' }
  /** Acknowledges a frame that was shown. */
  | { type: 'ack' }
  /** Ends the session and closes the comm, as closing the comm does. */
  | { type: 'stop' };

/**
 * The comm by which a front end asks for the errors of a cell that is being
 * edited. The front end opens it; each request has one answer.
 */
export const DIAGNOSTICS_COMM = 'joylab.diagnostics';

/** Front end → kernel. */
export interface DiagnosticsRequest {
  id: number;
  code: string;
}

/** Kernel → front end. */
export interface DiagnosticsAnswer {
  id: number;
  problems: Diagnosis[];
}

/** An error in a cell. `start` and `end` are UTF-16 offsets into its code. */
export interface Diagnosis {
  start: number;
  end: number;
  message: string;
}
