import type { ModelConfig } from '../../models/config';
import type { ParameterSet } from '../../models/graph/parameters';
import { rowsPerRun } from './flops';
import type { BatchOutcome } from './modelUpdate';
import { planSteps, type Sequences } from './plan';
import { Runner } from './runner';

/** Outputs of a model for completions: for each, one value per token. */
export interface CompletionScores {
  logprobs: Float32Array[];
  entropies: Float32Array[];
}

/** Scores completions with parameters as they are: of a reference model, or of the policy before an update. */
export class LogprobScorer {
  private constructor(
    private readonly runner: Runner,
    private readonly maxRows: number,
  ) {}

  static async create(config: ModelConfig, parameters: ParameterSet, temperature: number): Promise<LogprobScorer> {
    const runner = new Runner({ config, parameters, trainable: 'none', objective: null, temperature });
    return new LogprobScorer(runner, rowsPerRun({ config, adapter: parameters.adapter }));
  }

  /** Scores the completions of several prompts: completion i answers prompt `promptOf[i]`. */
  async scoreBatch(batch: Sequences, signal?: AbortSignal): Promise<CompletionScores> {
    const outcome: BatchOutcome = { loss: 0, tokens: { logprobs: [], entropies: [] } };
    for (const step of planSteps(batch, this.maxRows))
      await this.runner.run(step, { ...batch, tokens: {} }, { outcome, sums: null, signal });
    signal?.throwIfAborted();
    const { logprobs, entropies } = outcome.tokens;
    return { logprobs, entropies };
  }

  async dispose(): Promise<void> {
    await this.runner.dispose();
  }
}
