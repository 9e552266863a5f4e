/*
 * A GRPO step beside TRL: `npm run bench -- grpo [small] [small-full] [large]`.
 *
 * Both sides train the same random checkpoint on the same prompt with the
 * trainer's own train(), each in a process of its own, and make their steps in
 * turn. TRL runs by its defaults but for gradient checkpointing, which makes
 * it slower: that is on for the memory only. It runs in float32, as Joylab
 * does, and in bfloat16, its default, where the processor computes that: others
 * emulate it, many times slower, which only `--bfloat16` measures. A goal is met
 * where it is met beside both. Each side takes as many threads as it takes by
 * itself. Without names all models are measured, with `--quick` the small one
 * in a few steps; `--json` prints everything that was measured.
 */
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { TARGET_MODULES } from '../../kernel/models/graph/architecture';
import { loadCheckpoint } from '../../kernel/models/checkpoint/checkpoint';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';
import { checkpoint, promptTokens, type ModelSize } from './common/checkpoints';
import type { SideArguments, StepTimes } from './grpo/joylabSide';
import { flops, plainSeconds, updateProducts } from './grpo/products';
import { lines, PRECISIONS, table, type Measured, type OfEach } from './grpo/table';
import { askInTurn, Side } from './common/side';

type Precisions = readonly (typeof PRECISIONS)[number][];

const completions = 16;
const tokens = 80;

interface Case {
  /** Name on the command line. */
  key: string;
  /** Name in the table. */
  name: string;
  model: ModelSize;
  /** Rank of the adapter on all linear layers; null: all weights are trained. */
  rank: number | null;
  goals: Measured['goals'];
  warmUp: number;
  steps: number;
}

const cases: Case[] = [
  {
    key: 'small',
    name: '3.3 M parameters, LoRA of rank 16',
    model: 'small',
    rank: 16,
    goals: { step: 3, generation: 3, update: 2 },
    warmUp: 3,
    steps: 9,
  },
  {
    key: 'small-full',
    name: '3.3 M parameters, all trained',
    model: 'small',
    rank: null,
    goals: { step: 3, generation: 3, update: 2 },
    warmUp: 3,
    steps: 9,
  },
  {
    key: 'large',
    name: '135 M parameters, LoRA of rank 16',
    model: 'large',
    rank: 16,
    goals: { step: 2, generation: 2, update: 2 },
    warmUp: 1,
    steps: 2,
  },
];

const scripts = join(packageRoot, 'test/bench/grpo');
const joylab = [process.execPath, join(__dirname, 'grpo/joylabSide.js')];
const trl = [pythonPath(), join(scripts, 'trl_side.py')];

const precision: Required<OfEach<object>> = { bfloat16: {}, float32: { bf16: false } };

/** Returns whether the processor computes bfloat16; true where that is unknown. */
function hasBfloat16(): boolean {
  return !existsSync('/proc/cpuinfo') || /\b(avx512_bf16|amx_bf16|bf16)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
}

async function measure(
  one: Case,
  folder: string,
  precisions: Precisions,
): Promise<{ measured: Measured; versions: Record<string, string> }> {
  const { name, goals, rank } = one;
  const products = await plainProducts(folder, rank);
  const lora = rank === null ? null : { r: rank, lora_alpha: rank, target_modules: TARGET_MODULES };
  const given: SideArguments = { folder, lora, completions, tokens, settings: {} };
  const sides: Side[] = [];
  const start = async (command: string[], settings: object): Promise<Side> => {
    const side = await Side.start(command, { ...given, settings: { ...settings } });
    sides.push(side);
    return side;
  };
  try {
    const we = await start(joylab, {});
    const they: Side[] = [];
    for (const key of precisions) they.push(await start(trl, { ...precision[key], gradient_checkpointing: false }));
    const [ours, ...times] = await askInTurn<StepTimes>([we, ...they], one);
    checkTokens([ours, ...times].flat());
    const memory = { ours: await we.finish(), theirs: {} as OfEach<number> };
    for (const side of they) await side.finish();
    for (const key of precisions) {
      // With its own settings TRL reaches its peak in the first step.
      const byDefault = await start(trl, precision[key]);
      await byDefault.ask();
      memory.theirs[key] = await byDefault.finish();
    }
    const theirs: OfEach<StepTimes[]> = Object.fromEntries(precisions.map((key, i) => [key, times[i]]));
    return {
      measured: { name, goals, ours, theirs, memory, products },
      versions: { ...we.versions, ...they[0].versions },
    };
  } finally {
    sides.forEach((side) => side.kill());
  }
}

/** Measures the matrix products of our update alone. */
async function plainProducts(folder: string, rank: number | null): Promise<Measured['products']> {
  const products = updateProducts((await loadCheckpoint(folder)).config, { promptTokens, completions, tokens, rank });
  return { flops: flops(products), seconds: await plainSeconds(products) };
}

/** Throws unless both sides have generated all tokens of all completions: the times would mean nothing. */
function checkTokens(times: readonly { tokens: number }[]): void {
  const wrong = times.find((time) => time.tokens !== completions * tokens);
  if (wrong) throw new Error(`a side generated ${wrong.tokens} tokens instead of ${completions * tokens}`);
}

function heading(versions: Record<string, string>, precisions: Precisions): string {
  const list = Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  return `GRPO steps: ${completions} completions of ${tokens} tokens to a prompt of ${promptTokens}; Joylab beside TRL
${cpus().length} cores (${cpus()[0].model.trim()}); ${list}
Medians of steps that the sides make in turn, the first ones left out. Joylab computes in float32, TRL in ${precisions.includes('bfloat16') ? 'bfloat16 (autocast, its default) and in float32; a goal is met beside both' : 'float32, as this processor has no bfloat16, its default'}.
TRL's times are without gradient checkpointing (faster), its memory is with it (its default). No completion ends early.`;
}

/** Returns the cases that the command line names. */
function chosenCases(args: readonly string[]): Case[] {
  const keys = cases.map(({ key }) => key);
  const unknown = args.find((arg) => ![...keys, '--quick', '--bfloat16', '--json'].includes(arg));
  if (unknown)
    throw new Error(`this benchmark knows ${keys.join(', ')}, --quick, --bfloat16 and --json, not ${unknown}`);
  if (args.includes('--quick')) return [{ ...cases[0], warmUp: 1, steps: 3 }];
  const named = cases.filter(({ key }) => args.includes(key));
  return named.length > 0 ? named : cases;
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const chosen = chosenCases(args);
  const json = args.includes('--json');
  const precisions = PRECISIONS.filter((name) => name !== 'bfloat16' || hasBfloat16() || args.includes('--bfloat16'));
  const results: Measured[] = [];
  let title = '';
  for (const one of chosen) {
    const { measured, versions } = await measure(one, checkpoint(one.model), precisions);
    title = heading(versions, precisions);
    if (!json) console.log(`${results.length === 0 ? `${title}\n` : ''}\n${table(measured)}`);
    results.push(measured);
  }
  if (json)
    console.log(JSON.stringify({ title, results: results.map((one) => ({ ...one, lines: lines(one) })) }, null, 2));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
