import type { ExperimentComparison, ExperimentData } from '../experimentMime';
import type { TrainingData } from '../mime';
import type { ShownAncestor } from '../training/lineage';

/** A run before and after, as a report shows it. */
export interface ReportData {
  /** "breakout: 60 steps of GRPO". */
  title: string;
  /** When the report was made: ISO 8601. */
  made: string;
  training: Pick<TrainingData, 'log' | 'events' | 'rewardNames' | 'step' | 'maxSteps' | 'status'>;
  experiment: ExperimentData;
  comparison: ExperimentComparison | null;
  /** The settings that are not at their defaults. */
  given: string[];
  /** Rows of numbers at the run's beginning and at its end. */
  numbers: ReportNumber[];
  /** Steps over which each is averaged. */
  averaged: number;
  /** Returns without skill, and a human's: the scale. */
  scale: Array<{ name: string; value: number }>;
  /** `null` where no rollout played. */
  before: ShownRollout | null;
  after: ShownRollout | null;
  /** The way to the best program, the oldest ancestor first; `null` without refinement. */
  lineage: ShownAncestor[] | null;
}

/** A number before and after. */
export interface ReportNumber {
  name: string;
  before: number | null;
  after: number | null;
}

/** A rollout of a report. */
export interface ShownRollout {
  /** "The median rollout of step 1". */
  title: string;
  /** Its episode in a line. */
  caption: string;
  picture: Picture;
  reward: number | null;
  rewards: Record<string, number | null>;
  /** The program; `null` for a completion without one. */
  code: string | null;
}

/** A picture that moves, and one that does not. */
export interface Picture {
  /** Data URLs; `still` alone where nothing moves. */
  moving: string | null;
  still: string | null;
  /** CSS pixels. */
  width: number;
  height: number;
  /** In place of pictures: the last frame as text, or why there is none. */
  text: string | null;
}
