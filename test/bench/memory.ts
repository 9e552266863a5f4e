/*
 * Memory: `npm run bench -- memory [precisions] [long]`, on a random checkpoint
 * of SmolLM2-135M's shape, each row in a process of its own.
 *
 * precisions: a model in float32, 8 and 4 bits; resident memory after loading
 * and the peak up to then, after completions, after an update of a LoRA
 * adapter, after saving.
 *
 * long: peak and time of an update on one long completion, with and without
 * gradientCheckpointing, beside transformers and PEFT on PyTorch.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PolicyUpdate } from '../../kernel/grpo/update/policyUpdate';
import { FastLanguageModel } from '../../kernel/models';
import { runtimeSettings } from '../../kernel/onnx/session';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';
import { checkpoint } from './common/checkpoints';

const PRECISIONS = { float32: {}, '8 bits': { loadIn8bit: true }, '4 bits': { loadIn4bit: true } };
const STAGES = ['loaded', 'generated', 'updated', 'saved'];
const LONG = { prompt: 20, completion: 1000 };

const ids = (length: number, first: number) => Array.from({ length }, (_, i) => 1 + ((first + 37 * i) % 500));

/** Returns the memory of this process in MiB (Linux). */
function memory(what: 'VmRSS' | 'VmHWM'): number {
  return Math.round(
    Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024,
  );
}

/** Runs the stages and prints the memory after each. */
async function throughStages(folder: string, precision: string): Promise<void> {
  const resident = () => console.log(`${memory('VmRSS')} (${memory('VmHWM')})`);
  const { model } = await FastLanguageModel.fromPretrained({
    modelName: folder,
    ...PRECISIONS[precision as keyof typeof PRECISIONS],
  });
  resident();
  const peft = FastLanguageModel.getPeftModel(model, { r: 16 });
  const prompt = ids(180, 0);
  await peft.generate({ inputIds: prompt, numReturnSequences: 16, maxNewTokens: 16, eosTokenId: null, seed: 1 });
  resident();
  await peft.dispose();
  const update = await PolicyUpdate.create(peft);
  const completionIds = Array.from({ length: 16 }, (_, i) => ids(80, i));
  await update.step(
    {
      promptIds: [prompt],
      completionIds,
      promptOf: completionIds.map(() => 0),
      advantages: completionIds.map((_, i) => (i % 2 ? 1 : -1)),
    },
    1e-4,
  );
  resident();
  await update.dispose();
  await peft.savePretrainedMerged(join(folder, precision), { dtype: 'bfloat16' });
  resident();
}

/** Makes two updates on a long completion, and prints the seconds of the faster one and the peak memory. */
async function longUpdate(folder: string, gradientCheckpointing: string): Promise<void> {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: folder });
  const peft = FastLanguageModel.getPeftModel(model, { r: 16 });
  const update = await PolicyUpdate.create(peft, { gradientCheckpointing: gradientCheckpointing === 'true' });
  const batch = {
    promptIds: [ids(LONG.prompt, 0)],
    completionIds: [ids(LONG.completion, 1)],
    promptOf: [0],
    advantages: [1],
  };
  const seconds: number[] = [];
  for (let step = 0; step < 2; step++) {
    const started = performance.now();
    await update.step(batch, 1e-4);
    seconds.push((performance.now() - started) / 1000);
  }
  console.log(JSON.stringify({ seconds: Math.min(...seconds), peak: memory('VmHWM') }));
}

const sides: Record<string, (folder: string, argument: string) => Promise<void>> = { throughStages, longUpdate };

/** Runs a command and returns its output. Throws when it fails. */
function printed(command: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

function row(cells: readonly (string | number)[]): void {
  console.log(cells.map((cell) => String(cell).padEnd(16)).join(''));
}

function comparePrecisions(folder: string): void {
  console.log('\nResident memory in MiB, and its peak up to then (513 MiB of weights in float32)\n');
  row(['', ...STAGES]);
  for (const precision of Object.keys(PRECISIONS)) {
    const stages = printed([process.execPath, __filename, 'throughStages', folder, precision]);
    row([precision, ...stages.split('\n').filter((line) => /^\d+ \(\d+\)$/.test(line))]);
  }
}

function compareLongUpdates(folder: string): void {
  console.log(
    `\nAn update of a LoRA adapter on one completion of ${LONG.completion} tokens: peak memory and time, Joylab beside PyTorch (transformers, PEFT), float32\n`,
  );
  row(['activations', 'ratio', 'Joylab MiB', 'PyTorch MiB', 'ratio', 'Joylab s', 'PyTorch s']);
  for (const [name, checkpointing] of [
    ['held', 'false'],
    ['checkpointed', 'true'],
  ]) {
    const ours = JSON.parse(printed([process.execPath, __filename, 'longUpdate', folder, checkpointing]));
    const script = join(packageRoot, 'test/bench/memory/peer.py');
    const theirs = JSON.parse(
      printed([
        pythonPath(),
        script,
        folder,
        String(LONG.prompt),
        String(LONG.completion),
        checkpointing,
        String(runtimeSettings.threads),
      ]),
    );
    const ratio = (of: 'peak' | 'seconds') => `${(theirs[of] / ours[of]).toFixed(2)} ×`;
    row([
      name,
      ratio('peak'),
      ours.peak,
      theirs.peak,
      ratio('seconds'),
      ours.seconds.toFixed(2),
      theirs.seconds.toFixed(2),
    ]);
  }
}

function main(asked: readonly string[]): void {
  const parts: Record<string, (folder: string) => void> = { precisions: comparePrecisions, long: compareLongUpdates };
  const unknown = asked.find((name) => !(name in parts));
  if (unknown) throw new Error(`this benchmark knows ${Object.keys(parts).join(' and ')}, not ${unknown}`);
  const folder = checkpoint('large');
  console.log('A model of 135 M parameters, each row in a process of its own');
  for (const name of asked.length > 0 ? asked : Object.keys(parts)) parts[name](folder);
}

const [first, ...rest] = process.argv.slice(2);
if (first in sides) void sides[first](rest[0], rest[1]);
else main(process.argv.slice(2));
