import type { ReferenceReturns } from '../../environments/reference';
import { resolveConfig, type Place, type ResolvedConfig } from '../config';
import { measureReference, play } from '../rollouts/play';
import { environmentSeed } from '../rollouts/seeds';
import { score, type WeightedReward } from '../../rewards/scoring';
import { processSecret } from '../../strategy/secret';
import type { NotebookParts } from './load';

/** Completions of one process of TRL's, group after group. */
export interface Batch {
  prompts: string[];
  completions: string[];
  completionIds: number[][];
  /** The other columns of each row. */
  columns: Record<string, unknown>[];
  /** Number of the generation in the run, from 0. */
  generation: number;
  /** Number of the first completion among those of all processes. */
  first: number;
  trainerState: { globalStep: number; maxSteps: number };
}

/** What a batch is worth. */
export interface BatchScores {
  /** Per reward function a number for each completion; `null` where it does not apply. */
  rewards: (number | null)[][];
  /** What functions logged: values by column, and numbers by metric. */
  extra: Record<string, unknown[]>;
  metrics: Record<string, number[]>;
}

/** TRL trains with the exported script: the notebook's settings may be those of GPUs. */
export const SCRIPT: Place = { backend: 'trl', numProcesses: 1 };

/** Plays and scores completions as the notebook's own trainer does. */
export class BatchScorer {
  private readonly signal = new AbortController().signal;
  private readonly secret = processSecret();

  private constructor(
    private readonly env: NotebookParts['env'],
    private readonly config: ResolvedConfig,
    private readonly rewards: readonly WeightedReward[],
    private readonly reference: ReferenceReturns | null | undefined,
  ) {}

  static async create({ env, config }: NotebookParts, rewards: readonly WeightedReward[]): Promise<BatchScorer> {
    const resolved = resolveConfig(config, SCRIPT);
    const reference = await measureReference(env, resolved, new AbortController().signal);
    return new BatchScorer(env, resolved, rewards, reference);
  }

  get names(): string[] {
    return this.rewards.map(({ name }) => name);
  }

  /** @throws RewardError where a function failed */
  async score(batch: Batch): Promise<BatchScores> {
    const { env, config, reference, secret, signal } = this;
    const { trainerState, generation, first } = batch;
    const completions = batch.completions.map((completion, i) => ({
      prompt: batch.prompts[i],
      completion,
      completionIds: batch.completionIds[i],
      columns: batch.columns[i],
      environmentSeed: environmentSeed(
        secret,
        config.seed,
        generation,
        Math.floor((first + i) / config.numGenerations),
      ),
    }));
    const step = trainerState.globalStep + 1;
    const { samples } = await play(completions, { env, reference, step, config, secret, signal });
    const timeLimit = config.rewardTimeLimit;
    const { table, error, failures, extra, metrics } = await score(this.rewards, samples, {
      trainerState,
      timeLimit,
      signal,
    });
    // TRL would count the other functions alone where one failed.
    if (error ?? failures[0]) throw error ?? failures[0];
    return { rewards: table.values, extra: columnsOf(extra, samples.length), metrics: Object.fromEntries(metrics) };
  }
}

/** Columns with a value for each sample. */
function columnsOf(extra: ReadonlyMap<string, unknown[]>, count: number): Record<string, unknown[]> {
  return Object.fromEntries(
    [...extra].map(([name, values]) => [name, Array.from({ length: count }, (_, i) => values[i] ?? null)]),
  );
}
