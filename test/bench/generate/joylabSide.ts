/*
 * Joylab's side of the benchmark: generates whenever an order arrives, answered
 * as transformers_side.py does.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FastLanguageModel } from '../../../kernel/models';
import { runtimeSettings } from '../../../kernel/onnx/session';

/** Argument of a side, in JSON. */
export interface GenerateArguments {
  folder: string;
  threads: number;
  /** Precision of transformers. */
  dtype: 'float32' | 'bfloat16';
}

/** Number of completions to generate, and of tokens of each. */
export interface GenerateOrder {
  batch: number;
  tokens: number;
}

/** Time and number of generated tokens. */
export interface Generated {
  seconds: number;
  tokens: number;
}

function answer(values: object): void {
  process.stdout.write(`${JSON.stringify(values)}\n`);
}

async function main(): Promise<void> {
  const given = JSON.parse(process.argv[2]) as GenerateArguments;
  runtimeSettings.threads = given.threads;
  const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: given.folder });
  const { inputIds } = tokenizer(readFileSync(join(given.folder, 'prompt.txt'), 'utf8'));
  answer({
    versions: { 'Node.js': process.version, 'onnxruntime-node': require('onnxruntime-node/package.json').version },
  });
  for await (const line of createInterface({ input: process.stdin })) {
    const { batch, tokens } = JSON.parse(line) as GenerateOrder;
    const started = performance.now();
    const { sequences } = await model.generate({
      inputIds,
      numReturnSequences: batch,
      maxNewTokens: tokens,
      temperature: 1,
      topK: 0,
      seed: 1,
    });
    const seconds = (performance.now() - started) / 1000;
    answer({ seconds, tokens: sequences.flat().length } satisfies Generated);
  }
  answer({ peakMemory: process.resourceUsage().maxRSS * 1024 });
  process.exit(0);
}

if (require.main === module) void main();
