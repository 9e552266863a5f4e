import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';

/** Tokens of the prompt in a checkpoint's folder. */
export const promptTokens = 180;

/** Sizes of the random models that the benchmarks run on. */
const models = {
  small: {
    vocab_size: 512,
    hidden_size: 256,
    intermediate_size: 688,
    num_hidden_layers: 4,
    num_attention_heads: 8,
    num_key_value_heads: 8,
  },
  // SmolLM2-135M
  large: {
    vocab_size: 49152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
  },
};

export type ModelSize = keyof typeof models;

let folder: string | undefined;

/** Returns the folder of a random model, with `prompt.txt`; it is removed when the process ends. */
export function checkpoint(size: ModelSize): string {
  if (!folder) {
    const made = (folder = mkdtempSync(join(tmpdir(), 'joylab-bench-')));
    // The checkpoints are large: an interrupted benchmark leaves none behind.
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  }
  const path = join(folder, size);
  if (!existsSync(path)) makeCheckpoint(path, models[size]);
  return path;
}

function makeCheckpoint(path: string, model: object): void {
  const script = join(packageRoot, 'test/bench/common/make_checkpoint.py');
  const given = {
    prompt_tokens: promptTokens,
    model: { ...model, tie_word_embeddings: true, max_position_embeddings: 2048 },
  };
  const { status, stderr } = spawnSync(pythonPath(), [script, path, JSON.stringify(given)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`make_checkpoint.py failed:\n${stderr}`);
}
