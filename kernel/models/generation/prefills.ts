import type { Prompt } from './generateBatch';
import type { InferenceEngine, Prefill } from './inference';

/**
 * Prompts of batches that follow each other, each computed once: the rows of a
 * prompt are adjacent, so only the last prompt of a batch can go on in the
 * next, and no more than that one is kept.
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
