/*
 * Joylab's side of the benchmark: its GRPOTrainer's own train(), a step
 * whenever a line arrives, answered as trl_side.py does.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FastLanguageModel, GRPOTrainer, type CausalLM, type PeftOptions, type Sample } from '../../../kernel';
import { setCellContext } from '../../../kernel/display/cellContext';
import { PolicyUpdate } from '../../../kernel/grpo/update/policyUpdate';
import { runtimeSettings } from '../../../kernel/onnx/session';

/** Argument of a side, in JSON. */
export interface SideArguments {
  folder: string;
  /** Adapter by PEFT's names; null: all weights are trained. */
  lora: { r: number; lora_alpha: number; target_modules: string[] } | null;
  completions: number;
  tokens: number;
  /** GRPOConfig's settings, by the names of the side. */
  settings: Record<string, unknown>;
}

/** Seconds of one training step and of its parts. */
export interface StepTimes {
  step: number;
  generation: number;
  update: number;
  /** Number of generated tokens. */
  tokens: number;
}

/** Returns the reward of both sides, which only has to differ between completions. */
function letters({ completion }: Sample): number {
  return [...completion].filter((letter) => 'aeiou'.includes(letter)).length;
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Waits for the order to make a step; when no more come, prints the peak memory and ends the process. */
async function nextOrder(): Promise<void> {
  if (!(await lines.next()).done) return;
  answer({ peakMemory: process.resourceUsage().maxRSS * 1024 });
  process.exit(0);
}

function answer(values: object): void {
  process.stdout.write(`${JSON.stringify(values)}\n`);
}

/** Adds up the seconds that calls of a method take. */
function timed<T extends object>(owner: T, name: keyof T, add: (seconds: number, result: any) => void): void {
  const method = owner[name] as (...args: any[]) => Promise<unknown>;
  owner[name] = async function (this: unknown, ...args: any[]) {
    const started = performance.now();
    const result = await method.apply(this, args);
    add((performance.now() - started) / 1000, result);
    return result;
  } as any;
}

async function loadModel({ folder, lora }: SideArguments): Promise<CausalLM> {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: folder });
  if (!lora) return model;
  const options: PeftOptions = { r: lora.r, loraAlpha: lora.lora_alpha, targetModules: lora.target_modules };
  return FastLanguageModel.getPeftModel(model, options);
}

async function main(): Promise<void> {
  const given = JSON.parse(process.argv[2]) as SideArguments;
  setCellContext({ display() {}, signal: new AbortController().signal, registerCommTarget() {} });
  const model = await loadModel(given);
  const seconds = { generation: 0, update: 0, tokens: 0 };
  timed(model, 'generate', (time, { sequences }: { sequences: number[][] }) => {
    seconds.generation = time;
    seconds.tokens = sequences.flat().length;
  });
  timed(PolicyUpdate.prototype, 'step', (time) => (seconds.update = time));
  let started = 0;
  const trainer = new GRPOTrainer({
    model,
    processingClass: model.tokenizer,
    rewardFuncs: letters,
    trainDataset: [{ prompt: readFileSync(join(given.folder, 'prompt.txt'), 'utf8') }],
    args: { maxSteps: 1000, numGenerations: given.completions, maxCompletionLength: given.tokens, ...given.settings },
    async onStep() {
      answer({ step: (performance.now() - started) / 1000, ...seconds } satisfies StepTimes);
      await nextOrder();
      started = performance.now();
    },
  });
  answer({
    versions: {
      'Node.js': process.version,
      'onnxruntime-node': `${require('onnxruntime-node/package.json').version} (${runtimeSettings.threads} threads)`,
    },
  });
  await nextOrder();
  started = performance.now();
  await trainer.train();
}

if (require.main === module) void main();
