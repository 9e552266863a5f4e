/*
 * Models in a worker: what Joylab adds to TRL's time, and whether they learn.
 *
 *   npm run bench -- trl [time] [learn] [--size 20b|tiny] [--generations 2,8] [--steps 10] [--backend trl,unsloth] [--seed 1]
 *
 * time    a model of gpt-oss's shape with random weights, in bfloat16 on a GPU:
 *         seconds of a GRPO step and memory, its rewards from games of Breakout,
 *         beside plain TRL with a reward in Python
 * learn   the strategist on Breakout with the settings of notebooks/atari.ipynb
 *
 * The Python is that of workers: $JOYLAB_GPU_PYTHON, or what `joylab setup gpu`
 * made.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as joylab from '../../kernel';
import { textTable } from '../../kernel/display/table';
import { packageRoot } from '../../kernel/common/packagePaths';
import { workerPython } from '../../kernel/engines/trl/python';
import { isInWorker } from '../../kernel/engines/trl/model';

const scripts = join(packageRoot, 'test', 'bench', 'trl');
const tokens = 128;
/** Steps that warm up. */
const FIRST = 2;

interface Measured {
  seconds: number[];
  /** Bytes. */
  peak: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '20b' },
    generations: { type: 'string', default: '2,8' },
    steps: { type: 'string', default: '10' },
    backend: { type: 'string', default: 'trl' },
    seed: { type: 'string', default: '1' },
  },
});

function python(script: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(workerPython(), [join(scripts, script), ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${script} failed:\n${stderr.slice(-4000)}`);
  return stdout;
}

function plain(folder: string, prompt: string, generations: number, steps: number): Measured {
  const out = python('plain.py', JSON.stringify({ folder, prompt, generations, steps, tokens }));
  return JSON.parse(/^RESULT (.*)$/m.exec(out)![1]);
}

async function ours(
  folder: string,
  env: joylab.AtariEnvironment,
  generations: number,
  steps: number,
  backend: 'trl' | 'unsloth',
): Promise<Measured> {
  const loaded = await joylab.FastLanguageModel.fromPretrained({
    modelName: folder,
    backend,
    initWeights: 'random',
    attnImplementation: 'eager',
    maxSeqLength: 8192,
  });
  const model = joylab.FastLanguageModel.getPeftModel(loaded.model, {
    r: 4,
    loraAlpha: 8,
    targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj'],
  });
  console.log(String(model));
  let episodes = 0;
  const trainer = new joylab.GRPOTrainer({
    model,
    processingClass: loaded.tokenizer,
    env,
    rewardFuncs: [
      function score({ episode }) {
        return episode ? episode.return : -1;
      },
    ],
    args: {
      maxSteps: steps,
      numGenerations: generations,
      maxCompletionLength: tokens,
      learningRate: 5e-5,
      measureReference: false,
    },
    onStep: ({ samples }) => {
      episodes += samples.filter(({ episode }) => episode).length;
    },
  });
  await trainer.train();
  const seconds = trainer.logHistory.flatMap(({ step_time }) => step_time ?? []);
  const peak = isInWorker(model) ? (await model.held.memory()).peak : 0;
  await trainer.dispose();
  await model.dispose();
  console.log(`${generations} completions a step: ${episodes} episodes of Breakout played in ${steps} steps`);
  return { seconds, peak };
}

async function time(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'joylab-gpt-oss-'));
  const env = (await joylab.openenv('atari', { game: 'breakout' })) as joylab.AtariEnvironment;
  try {
    python('make_model.py', folder, values.size);
    const rows: string[][] = [];
    const steps = Number(values.steps);
    const prompt = `<|start|>user: ${joylab.strategyPrompt(env)}\nassistant: `;
    for (const generations of values.generations.split(',').map(Number)) {
      const theirs = plain(folder, prompt, generations, steps);
      const here = await ours(folder, env, generations, steps, values.backend as 'trl' | 'unsloth');
      const [a, b] = [theirs, here].map(({ seconds }) => median(seconds.slice(FIRST)));
      rows.push([
        String(generations),
        a.toFixed(2),
        b.toFixed(2),
        `${(100 * (b / a - 1)).toFixed(1)} %`,
        (theirs.peak / 2 ** 30).toFixed(1),
        (here.peak / 2 ** 30).toFixed(1),
      ]);
      console.log(
        JSON.stringify({ generations, plain: theirs.seconds.map(rounded), joylab: here.seconds.map(rounded) }),
      );
    }
    const columns = ['completions', 'TRL, s a step', 'Joylab', 'more', 'TRL, GiB at most', 'Joylab'];
    console.log(`\ngpt-oss ${values.size}, random weights, LoRA r 4, ${tokens} tokens, ${steps} steps\n`);
    console.log(
      textTable(
        columns.map((title) => ({ title })),
        rows,
      ),
    );
  } finally {
    await env.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}

/** Breakout, by each back end. */
function learn(): void {
  for (const backend of values.backend.split(',')) {
    const bench = join(__dirname, 'breakout.js');
    spawnSync(process.execPath, [bench, values.seed, '--backend', backend], { stdio: 'inherit' });
  }
}

async function main(): Promise<void> {
  const chosen = positionals.length > 0 ? positionals : ['time', 'learn'];
  if (chosen.includes('time')) await time();
  if (chosen.includes('learn')) learn();
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
