import type { TrainingControl, TrainingData } from './mime';

/* What the side panel shows of a notebook: its environments, reward functions and runs. */

/**
 * The comm between the side panel and a notebook's kernel, which every kernel has. The
 * view opens it; while it is visible, the kernel sends `data`, again whenever they change,
 * at most once a second.
 */
export const OVERVIEW_COMM = 'joylab.overview';

/** Sessions of an environment, and sub-environments that policies play: how many are open, how many of these play. */
export interface SessionCount {
  open: number;
  busy: number;
}

/** An environment that variables of the notebook hold. */
export interface EnvironmentRow {
  /** Names of the variables. */
  variables: string[];
  name: string;
  /** Where it is from: its kind ("atari"), or the address of its server. */
  source: string;
  actions: string[];
  /** `null`: it is closed. */
  sessions: SessionCount | null;
  /** What play without skill gets, and a human, where that is known; the lowest first. */
  returns: Array<{ name: string; mean: number }>;
}

/** A run of the kernel. */
export interface RunRow
  extends Pick<TrainingData, 'runId' | 'status' | 'step' | 'maxSteps' | 'cellResumes' | 'rollouts'> {
  /** The mean reward of its newest logged step; `null` where there is none. */
  reward: number | null;
  /** Mean rewards over the run, thinned. */
  rewards: number[];
}

export interface OverviewData {
  environments: EnvironmentRow[];
  /** The ID with which a view of the reward functions opens its comm; `null`: there are none. */
  rewards: string | null;
  /** The newest first. */
  runs: RunRow[];
}

/** View → kernel. */
export type OverviewRequest =
  | { type: 'visible'; visible: boolean }
  /** Closes the environment that a variable holds. */
  | { type: 'close'; variable: string }
  /** A button of a run. */
  | { type: 'control'; runId: string; control: TrainingControl };

/** Kernel → view. `error`: why a request was refused. */
export type OverviewMessage = { type: 'data'; data: OverviewData } | { type: 'error'; text: string };
