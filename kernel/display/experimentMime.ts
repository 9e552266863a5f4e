/** An experiment as a notebook keeps it: what made the numbers of a run, and these. */
export const EXPERIMENT_MIME = 'application/vnd.joylab.experiment.v1+json';

/** The key of a cell's metadata under which Joylab keeps its own: `{ joylab: { experiment } }`. */
export const CELL_METADATA = 'joylab';

/** What made the numbers of a run, and these. It has nothing of the machine's files or of its user. */
export interface ExperimentData {
  version: 1;
  runId: string;
  /** When the run ended: ISO 8601. */
  ended: string;
  model: {
    name: string;
    /** Digest of what the run began with: the weights, and the secret that follows from them. */
    start: string;
  };
  environment: { name: string; environment: string; options: Record<string, unknown> } | null;
  /** Number of prompts, and a digest of them. */
  prompts: { count: number; digest: string };
  /** The settings that numbers follow from, by their names. */
  settings: Record<string, unknown>;
  /** The reward functions that count at the end of the run. */
  rewards: ExperimentReward[];
  /** Versions by package, "node" among them. */
  versions: Record<string, string>;
  machine: string;
  results: ExperimentResults;
}

/** A reward function of an experiment. */
export interface ExperimentReward {
  name: string;
  weight: number;
  /** Its source as it was compiled: without types. */
  source: string;
}

/** The numbers of a run, but for its times. */
export interface ExperimentResults {
  /** Steps made, and planned. */
  step: number;
  maxSteps: number;
  /** Logged steps with their mean rewards, in full precision; of a long run, some at equal distances. */
  steps: number[];
  rewards: Array<number | null>;
  /** The metrics of the last logged step, and the last evaluation's. */
  last: Record<string, number>;
  /** Digest of all metrics of all logged steps. */
  digest: string;
}

/** A saved experiment beside a run. */
export interface ExperimentComparison {
  /** Whether all numbers are the same. */
  equal: boolean;
  /** In a sentence or two: how the numbers compare, and where they differ, the likely reasons. */
  text: string;
  /** When the saved run ended: ISO 8601. */
  ended: string;
  rows: Array<{ metric: string; saved: number | null; now: number | null }>;
  /** What differs beside the numbers, the likeliest reason first: "learningRate 0.001 → 0.0005". */
  differences: string[];
}

/** Returns whether a value has what a comparison reads; a notebook may come from anywhere. */
export function isExperiment(value: unknown): value is ExperimentData {
  const data = value as Partial<ExperimentData> | undefined;
  const isObject = (part: unknown): boolean => typeof part === 'object' && part !== null && !Array.isArray(part);
  return (
    isObject(data) &&
    data!.version === 1 &&
    [data!.results, data!.settings, data!.versions, data!.model, data!.prompts].every(isObject) &&
    Array.isArray(data!.rewards) &&
    Array.isArray(data!.results!.steps) &&
    Array.isArray(data!.results!.rewards) &&
    isObject(data!.results!.last)
  );
}
