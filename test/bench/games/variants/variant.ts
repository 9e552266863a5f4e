import { normalizedReturn, type GRPOConfig, type Sample } from '../../../../kernel';
import { play, type OpenedEnvironment } from '../playing';
import { heldOutStarts } from '../starts';
import type { Line, RunResult } from '../store';
import type { Task } from '../tasks';

/** Largest number of episodes of training and choosing together. */
export const EPISODES = 1920;

/** Settings of training that a run may be given, to compare them. */
export interface Settings {
  args?: GRPOConfig;
  /** Rank of the LoRA adapters; `null`: all weights are trained. */
  rank?: number | null;
}

/** Arguments of a run of a variant. */
export interface Given {
  task: Task;
  env: OpenedEnvironment;
  seed: number;
  /** Settings of training, where they are not the defaults. */
  settings: Settings;
  /** Logs progress. */
  log(line: string): void;
}

/** Result of a run. */
export interface Outcome extends Pick<RunResult, 'episodes' | 'figures' | 'published'> {
  /** Plays from the held-out starts. */
  report(): Promise<Line[]>;
}

/** A way to get strategies, or a baseline. */
export interface Variant {
  /** Description in a few words. */
  description: string;
  /** Files and folders that its results depend on. */
  sources: string[];
  run(given: Given): Promise<Outcome>;
}

/** Sources of every variant: how games are played, and on which starts. */
export const PLAYING = [
  'kernel/environments',
  'kernel/rollout',
  'kernel/strategy',
  'test/bench/games/invented',
  ...['playing', 'starts', 'tasks', 'editorTask', 'moves2048', 'variants/variant'].map(
    (name) => `test/bench/games/${name}.ts`,
  ),
];

/** Returns the only reward of training and search, scaled by the environment's reference returns. */
export function score(sample: Sample): number {
  return normalizedReturn(sample);
}

/** Sources of the search of programs. */
export const SEARCH = ['kernel/grpo/refinement', 'kernel/grpo/rollouts', 'kernel/rewards/library.ts'];

/** Plays a program from the held-out starts and resolves to its line. */
export async function reported(
  { task, env }: Given,
  name: string,
  program: string,
  limits = task.reportedSteps,
): Promise<Line> {
  const starts = heldOutStarts(task.starts);
  const line: Line = { name, returns: {}, program };
  for (const steps of limits) {
    const episodes = await play(
      env,
      starts.map(() => program),
      starts,
      steps,
    );
    line.returns[steps] = episodes.map((episode) => episode.return);
    const highest = episodes.map((episode) => episode.stateAt(episode.steps).highest_tile);
    if (highest.every((tile) => typeof tile === 'number')) line.more = { 'highest tile': highest };
  }
  return line;
}
