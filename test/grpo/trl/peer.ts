import { after, before } from 'node:test';
import type { GRPOConfig } from '../../../kernel/grpo';
import { PythonPeer } from '../../models/pythonPeer';
import { quietHost } from '../fixtures';

/* TRL in a process of its own, and a model that both train. */

export const peer = new PythonPeer('grpo/trl/trl_peer.py');
export const folder = peer.path('model');
after(() => peer.close());
before(async () => {
  quietHost();
  await peer.call('make_model', { folder });
});

/** Returns settings by TRL's names. */
export function snakeCase(args: object): Record<string, unknown> {
  const words = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const convert = (value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value) ? snakeCase(value) : value;
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [words(name), convert(value)]));
}

/** Settings of two prompts with four completions each, and five steps that change the weights enough to be clipped. */
export const base: GRPOConfig = {
  maxSteps: 5,
  numGenerations: 4,
  perDeviceTrainBatchSize: 8,
  maxCompletionLength: 12,
  learningRate: 5e-3,
  shuffleDataset: false,
  seed: 3,
};

export const lossTypes = ['grpo', 'dr_grpo', 'dapo', 'bnpo', 'cispo', 'sapo', 'luspo', 'vespo'] as const;
