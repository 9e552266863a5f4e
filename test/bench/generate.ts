/*
 * Tokens per second beside transformers: `npm run bench -- generate [small] [large] [batch sizes]`.
 *
 * Both sides complete the same prompt with the same random checkpoint in
 * float32, by sampling at temperature 1, each in a process of its own and in
 * turn; with several batch sizes, which are completions of one prompt, as GRPO
 * asks for them. Without names both models are measured (the small one in half
 * a minute, the large one in several), without numbers 1, 4, 16 and 64
 * completions; `--bfloat16` has transformers compute in bfloat16, `--json`
 * prints everything that was measured.
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { textTable } from '../../kernel/display/table';
import { runtimeSettings } from '../../kernel/onnx/session';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';
import { checkpoint, promptTokens, type ModelSize } from './common/checkpoints';
import type { GenerateArguments, GenerateOrder, Generated } from './generate/joylabSide';
import { median } from './grpo/products';
import { askInTurn, Side } from './common/side';

const BATCHES = [1, 4, 16, 64];

interface Case {
  key: ModelSize;
  name: string;
  /** New tokens of each completion. */
  tokens: number;
  steps: number;
}

const cases: Case[] = [
  { key: 'small', name: '3.3 M parameters', tokens: 80, steps: 5 },
  { key: 'large', name: '135 M parameters', tokens: 24, steps: 2 },
];

const joylab = [process.execPath, join(__dirname, 'generate/joylabSide.js')];
const transformers = [pythonPath(), join(packageRoot, 'test/bench/generate/transformers_side.py')];

/** Median tokens per second of both sides. */
interface Speeds {
  batch: number;
  ours: number;
  theirs: number;
}

async function measure(
  { key, tokens, steps }: Case,
  batches: readonly number[],
  dtype: GenerateArguments['dtype'],
): Promise<{ speeds: Speeds[]; versions: Record<string, string> }> {
  const given: GenerateArguments = { folder: checkpoint(key), threads: runtimeSettings.threads, dtype };
  const sides: Side[] = [];
  try {
    for (const command of [joylab, transformers]) sides.push(await Side.start(command, given));
    const speeds: Speeds[] = [];
    for (const batch of batches) {
      const order: GenerateOrder = { batch, tokens };
      const [ours, theirs] = (await askInTurn<Generated>(sides, { warmUp: 1, steps, order })).map((times) =>
        speedOf(times, batch * tokens),
      );
      speeds.push({ batch, ours, theirs });
    }
    return { speeds, versions: Object.assign({}, ...sides.map((side) => side.versions)) };
  } finally {
    sides.forEach((side) => side.kill());
  }
}

/** Returns the tokens per second. Throws unless all tokens were generated: the times would mean nothing. */
function speedOf(times: readonly Generated[], wanted: number): number {
  const wrong = times.find(({ tokens }) => tokens !== wanted);
  if (wrong) throw new Error(`a side generated ${wrong.tokens} tokens instead of ${wanted}`);
  return wanted / median(times.map(({ seconds }) => seconds));
}

function table(speeds: readonly Speeds[]): string {
  const columns = ['ratio', 'batch', 'Joylab', 'transformers'].map((title) => ({ title }));
  const rows = speeds.map(({ batch, ours, theirs }) => [
    `${(ours / theirs).toFixed(2)} ×`,
    String(batch),
    ...[ours, theirs].map((speed) => Math.round(speed).toLocaleString('en-US')),
  ]);
  return textTable(columns, rows);
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const keys: string[] = cases.map(({ key }) => key);
  const isBatch = (arg: string) => /^[1-9]\d*$/.test(arg);
  const unknown = args.find((arg) => ![...keys, '--bfloat16', '--json'].includes(arg) && !isBatch(arg));
  if (unknown)
    throw new Error(`this benchmark knows ${keys.join(', ')}, batch sizes, --bfloat16 and --json, not ${unknown}`);
  const batches = args.filter(isBatch).map(Number);
  const dtype = args.includes('--bfloat16') ? 'bfloat16' : 'float32';
  const named = cases.filter(({ key }) => args.includes(key));
  const results = [];
  for (const one of named.length > 0 ? named : cases) {
    const { speeds, versions } = await measure(one, batches.length > 0 ? batches : BATCHES, dtype);
    results.push({ name: one.name, tokens: one.tokens, speeds, versions });
    if (args.includes('--json')) continue;
    if (results.length === 1) console.log(heading(versions, dtype));
    console.log(`\n${one.name}, ${one.tokens} new tokens: tokens per second\n${table(speeds)}`);
  }
  if (args.includes('--json')) console.log(JSON.stringify(results, null, 2));
}

function heading(versions: Record<string, string>, dtype: string): string {
  const list = Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  return `Completions of one prompt of ${promptTokens} tokens; Joylab beside transformers.generate
${cpus().length} cores (${cpus()[0].model.trim()}), ${runtimeSettings.threads} threads on each side; ${list}
Medians of calls that the sides make in turn, the first left out. Joylab computes in float32, transformers in ${dtype}.`;
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
