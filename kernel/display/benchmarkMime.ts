/*
 * What a benchmark shows: written by the kernel, rendered by the extension.
 * Both sides compile against this file.
 */

/** A benchmark, or a leaderboard: tables, charts, comparisons. */
export const BENCHMARK_MIME = 'application/vnd.joylab.benchmark.v1+json';

/** A mean with its 95 % interval; `null` where that is not known. */
export interface IntervalData {
  mean: number;
  low: number | null;
  high: number | null;
}

/** A policy in an environment. */
export interface BenchmarkRow {
  policy: string;
  /** Mean return over the starts, and over the attempts of a model. */
  score: IntervalData;
  /** The attempt that was chosen on other starts. */
  best?: IntervalData;
  /** The score with chance as 0 and a human as 1. */
  normalized?: number;
  /** Attempts, and those of them that play. Left out where nothing was written. */
  attempts?: number;
  playing?: number;
  tokens?: number;
  seconds?: number;
  /** Why there are fewer attempts than there should be. */
  note?: string;
}

/** What can be compared: policies in one environment, from the same starts. */
export interface BenchmarkGroup {
  environment: string;
  /** "20 starts, at most 1,000 steps". */
  caption: string;
  /** Best first. */
  rows: BenchmarkRow[];
  chance?: number;
  human?: { mean: number; source: string };
  /** Comparisons of the best policy with the others, as sentences. */
  statements: string[];
  /** Those of all other pairs. */
  otherStatements: string[];
}

/** Content of {@link BENCHMARK_MIME}. */
export interface BenchmarkData {
  version: 1;
  groups: BenchmarkGroup[];
  /** Means of the normalised scores over several environments, best first. */
  summary?: Array<{ policy: string; normalized: number; environments: number }>;
  /** Sentences below all: what failed, where results are kept. */
  notes: string[];
}
