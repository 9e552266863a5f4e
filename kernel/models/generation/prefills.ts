import type { Prompt } from './generateBatch';
import type { InferenceEngine, Prefill } from './inference';

/**
 * Computes the prompts of successive batches once: the rows of a prompt are adjacent,
 * so only the last prompt of a batch can continue in the next, and only that one is
 * kept.
 */
export class Prefills {
  private last: { prompt: Prompt; prefill: Prefill } | undefined;

  constructor(private readonly engine: InferenceEngine) {}

  async of(prompt: Prompt, signal?: AbortSignal): Promise<Prefill> {
    if (this.last?.prompt !== prompt) {
      this.last = undefined;
      this.last = { prompt, prefill: await this.engine.prefill(prompt.ids, signal) };
    }
    return this.last.prefill;
  }
}
