/*
 * Memory of a model in float32, 8 and 4 bits: `npm run bench -- memory`.
 *
 * Each precision in a process of its own, on a random checkpoint of
 * SmolLM2-135M's shape: resident memory after loading and the peak up to then,
 * after completions, after an update of a LoRA adapter, after saving.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PolicyUpdate } from '../../kernel/grpo/update';
import { FastLanguageModel } from '../../kernel/models';
import { checkpoint } from './checkpoints';

const PRECISIONS = { float32: {}, '8 bits': { loadIn8bit: true }, '4 bits': { loadIn4bit: true } };
const STAGES = ['loaded', 'generated', 'updated', 'saved'];

const ids = (length: number, first: number) => Array.from({ length }, (_, i) => 1 + ((first + 37 * i) % 500));

/** Resident memory of this process, and its peak so far, in MiB (Linux). */
function resident(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024);
  return `${of('VmRSS')} (${of('VmHWM')})`;
}

/** Goes through the stages and prints the memory after each. */
async function side(folder: string, precision: keyof typeof PRECISIONS): Promise<void> {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: folder, ...PRECISIONS[precision] });
  console.log(resident());
  const peft = FastLanguageModel.getPeftModel(model, { r: 16 });
  const prompt = ids(180, 0);
  await peft.generate({ inputIds: prompt, numReturnSequences: 16, maxNewTokens: 16, eosTokenId: null, seed: 1 });
  console.log(resident());
  await peft.dispose();
  const update = await PolicyUpdate.create(peft);
  const completionIds = Array.from({ length: 16 }, (_, i) => ids(80, i));
  await update.step({ promptIds: [prompt], completionIds, promptOf: completionIds.map(() => 0), advantages: completionIds.map((_, i) => (i % 2 ? 1 : -1)) }, 1e-4);
  console.log(resident());
  await update.dispose();
  await peft.savePretrainedMerged(join(folder, precision), { dtype: 'bfloat16' });
  console.log(resident());
}

function main(): void {
  const folder = checkpoint('large');
  console.log('Resident memory in MiB, and its peak up to then, of a model of 135 M parameters (513 MiB in float32)\n');
  console.log(['', ...STAGES].map((text) => text.padEnd(14)).join(''));
  for (const precision of Object.keys(PRECISIONS)) {
    const { stdout, stderr, status } = spawnSync(process.execPath, [__filename, folder, precision], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const found = stdout.split('\n').filter((line) => /^\d+ \(\d+\)$/.test(line));
    console.log([precision, ...found].map((text) => text.padEnd(14)).join(''));
  }
}

const [folder, precision] = process.argv.slice(2);
if (precision) void side(folder, precision as keyof typeof PRECISIONS);
else main();
