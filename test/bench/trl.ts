/*
 * Models in a worker: what Joylab adds to TRL's time, and whether they learn.
 *
 *   npm run bench -- trl [time] [learn] [context] [small] [kill] [OPTIONS]      by default time and learn
 *
 * time     a model of gpt-oss's shape with random weights, in bfloat16 on a GPU: seconds of a GRPO step and memory, its
 *          rewards from games of Breakout, beside plain TRL with a reward in Python
 *            --size 20b|tiny  --generations 2,8  --steps 10  --load-in-4bit  --attention eager
 *            --processes 2 beside one process; they share the weights with --fsdp
 *            --in-turns: step by step in turns, both models in the GPU's memory (not with --processes)
 * learn    the strategist on Breakout with the settings of notebooks/atari.ipynb
 *            --backend trl,unsloth  --seed 1,2,3  --learning-rate (the notebook's)  --processes 2
 * context  two steps with a long prompt and gradient checkpointing
 *            --tokens 16384  --size  --load-in-4bit  --attention flex_attention (eager without a GPU)
 * small    a small gpt-oss with weights in a folder, by each back end
 *            --backend trl,unsloth  --steps 6  --tokens 64
 * kill     one of two processes is killed while the strategist trains; its last checkpoint goes on with one and with two
 *            --processes 2
 *
 * The Python is that of workers: $JOYLAB_GPU_PYTHON, or what `joylab setup gpu`
 * made.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { context } from './trl/context';
import { kill } from './trl/kill';
import { hasGpu, type Launch } from './trl/setup';
import { small } from './trl/small';
import { time } from './trl/time';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '20b' },
    generations: { type: 'string', default: '2,8' },
    steps: { type: 'string' },
    tokens: { type: 'string' },
    'load-in-4bit': { type: 'boolean', default: false },
    attention: { type: 'string' },
    processes: { type: 'string', default: '1' },
    fsdp: { type: 'boolean', default: false },
    'in-turns': { type: 'boolean', default: false },
    backend: { type: 'string', default: 'trl' },
    seed: { type: 'string', default: '1' },
    'learning-rate': { type: 'string' },
  },
});
const processes = Number(values.processes);
const loadIn4bit = values['load-in-4bit'];

/** Those that are asked for. Throws a RangeError for one that does not exist. */
function backends(): Array<'trl' | 'unsloth'> {
  return values.backend.split(',').map((name) => {
    if (name === 'trl' || name === 'unsloth') return name;
    throw new RangeError(`--backend takes trl, unsloth or both, as in trl,unsloth, not ${values.backend}.`);
  });
}

const parts: Record<string, () => void | Promise<void>> = {
  time() {
    const one: Launch = { processes: 1, isSharded: false };
    if (values['in-turns'] && processes > 1) throw new RangeError('--in-turns is for one process.');
    return time({
      size: values.size,
      generations: values.generations.split(',').map(Number),
      steps: Number(values.steps ?? 10),
      tokens: Number(values.tokens ?? 128),
      loadIn4bit,
      attention: values.attention ?? 'eager',
      inTurns: values['in-turns'],
      launches: processes > 1 ? [one, { processes, isSharded: values.fsdp }] : [one],
    });
  },
  /** By each back end. */
  learn() {
    const rate = values['learning-rate'];
    for (const backend of backends()) {
      const options = ['--backend', backend, '--processes', values.processes];
      if (rate !== undefined) options.push('--settings', JSON.stringify({ learningRate: Number(rate) }));
      const bench = join(__dirname, 'breakout.js');
      spawnSync(process.execPath, [bench, ...values.seed.split(','), ...options], { stdio: 'inherit' });
    }
  },
  context() {
    return context({
      size: values.size,
      tokens: Number(values.tokens ?? 16_384),
      steps: Number(values.steps ?? 2),
      loadIn4bit,
      // 'eager' holds all scores of a layer at once: 32 GiB for each copy of them.
      attention: values.attention ?? (hasGpu() ? 'flex_attention' : 'eager'),
    });
  },
  small() {
    return small(backends(), { steps: Number(values.steps ?? 6), tokens: Number(values.tokens ?? 64), loadIn4bit });
  },
  kill: () => kill(Math.max(2, processes)),
};

async function main(): Promise<void> {
  for (const name of positionals.length > 0 ? positionals : ['time', 'learn']) {
    if (!parts[name]) throw new Error(`There is no part ${name}: ${Object.keys(parts).join(', ')}`);
    await parts[name]();
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
