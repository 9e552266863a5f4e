import { setTimeout as sleep } from 'node:timers/promises';
import { Environment } from '../../kernel';

/** An environment with steps of some milliseconds, which counts them and the episodes that it began and ended. */
export class Slow extends Environment<{ by: number }, { count: number }> {
  static override schema = {
    action: {
      type: 'object',
      properties: { by: { type: 'integer', minimum: 1, maximum: 3 } },
      required: ['by'],
      additionalProperties: false,
    },
  };
  /** Counts of all sessions together. */
  static begun = 0;
  static ended = 0;
  static steps = 0;
  private count = 0;

  override reset() {
    Slow.begun++;
    this.count = 0;
    return { observation: { count: 0 } };
  }

  override async step({ by }: { by: number }) {
    await sleep(5);
    Slow.steps++;
    this.count += by;
    const done = this.count >= 60;
    if (done) Slow.ended++;
    return { observation: { count: this.count }, reward: by, done };
  }
}

/** Returns different strategies that all play an episode of `Slow` in 60 steps. */
export const steady = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `function strategy() { return 1; } // ${i}`);
