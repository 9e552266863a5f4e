import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../common/packagePaths';
import { TrlRun, type Handlers } from '../../engines/trl/run';
import { Worker } from '../../engines/trl/worker';
import { findings, readPins, type Finding, type Report } from './findings';
import { step, textTable } from './terminal';

/** Lists of pip for the worker, by back end. */
export const REQUIREMENTS = {
  trl: join(packageRoot, 'kernel', 'engines', 'trl', 'requirements.txt'),
  unsloth: join(packageRoot, 'kernel', 'engines', 'trl', 'requirements-unsloth.txt'),
};

/** The small model that comes with Joylab. */
const MODEL = join(packageRoot, 'kernel', 'models', 'strategist', 'checkpoint');
/** What the worker's `load` wants to know of it. */
const LOADING = {
  modelName: MODEL,
  folder: MODEL,
  maxSeqLength: 256,
  loadIn4bit: false,
  loadIn8bit: false,
  initWeights: 'pretrained',
  passedOn: {},
};

/**
 * Imports everything that training needs, makes a step of training where that works, and prints a table of it.
 *
 * @returns whether the step was made and nothing is missing
 */
export async function checkPython(python: string, { unsloth = false } = {}): Promise<boolean> {
  const pinsOf = (backend: 'trl' | 'unsloth') => readPins(readFileSync(REQUIREMENTS[backend], 'utf8'));
  const said = await step('Importing packages', () => report(python, [...pinsOf('unsloth').keys()]));
  const backend = unsloth || said.packages.unsloth.version ? 'unsloth' : 'trl';
  const rows = findings(said, pinsOf(backend), `${python} -m pip install`);
  if (!rows.some(({ broken }) => broken)) rows.push(await stepFinding(python, backend));
  process.stdout.write(
    `${textTable([
      ['', 'found', 'tried with', ''],
      ...rows.map(({ what, found, tried, advice, broken }) => [
        what,
        found,
        tried,
        advice && (broken ? `✗ ${advice}` : advice),
      ]),
    ])}\n`,
  );
  const broken = rows.filter((row) => row.broken).length;
  process.stdout.write(
    broken > 0
      ? `${python} cannot train yet: see ✗ above.\n`
      : `${python} trains. Notebooks use it with backend: '${backend}'.\n`,
  );
  return broken === 0;
}

/** What a Python says of itself. */
async function report(python: string, names: readonly string[]): Promise<Report> {
  const script = join(packageRoot, 'kernel', 'install', 'gpu', 'report.py');
  const child = spawn(python, [script, ...names], { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  let printed = '';
  let said = '';
  child.stdout.on('data', (data) => (printed += data));
  child.stderr.on('data', (data) => (said = (said + data).slice(-2000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`${python} cannot be started: ${error.message}`)));
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`${python} cannot say what it has (exit code ${code}): ${said.trim()}`);
  return JSON.parse(printed.trim().split('\n').at(-1)!) as Report;
}

async function stepFinding(python: string, backend: 'trl' | 'unsloth'): Promise<Finding> {
  const what = 'training step';
  const title =
    backend === 'unsloth' ? 'Making a step of training (the first compiles for a minute)' : 'Making a step of training';
  try {
    const found = await step(title, () => trainOneStep(python, backend));
    return { what, found, tried: '', advice: '' };
  } catch (error) {
    return { what, found: 'failed', tried: '', advice: (error as Error).message, broken: true };
  }
}

/** A step of GRPO with the small model and an adapter, in the worker that notebooks use. */
async function trainOneStep(python: string, backend: 'trl' | 'unsloth'): Promise<string> {
  const { signal } = new AbortController();
  const folder = mkdtempSync(join(tmpdir(), 'joylab-check-'));
  const worker = await Worker.start({ command: [python], signal });
  try {
    const { about } = await worker.channel.command('load', { backend, ...LOADING });
    await worker.channel.command('adapter', {
      lora: { r: 4, lora_alpha: 8, target_modules: ['q_proj', 'v_proj'] },
      randomState: 0,
      maxSeqLength: 256,
    });
    const args = {
      output_dir: folder,
      max_steps: 1,
      num_generations: 2,
      per_device_train_batch_size: 2,
      max_completion_length: 16,
    };
    const run = await TrlRun.start(worker.channel, { args }, signal);
    const start = Date.now();
    const { loss, grad_norm } = await run.step(handlers, signal);
    const seconds = (Date.now() - start) / 1000;
    await run.stop();
    if (!Number.isFinite(loss) || !(grad_norm > 0))
      throw new Error(`the step has loss ${loss} and gradient norm ${grad_norm}: this device computes wrongly`);
    return `${seconds.toFixed(1)} s on ${(about as { device: string }).device}`;
  } finally {
    await worker.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One prompt; of its two completions the first is the better one. */
const handlers: Handlers = {
  prompts: async (_mode, groups) => ({ prompts: Array.from({ length: groups }, () => [5, 6, 7, 8]) }),
  score: async (_mode, texts) => ({
    names: ['first'],
    weights: [1],
    rewards: Float32Array.from(texts, (_, i) => 1 - (i % 2)),
    advantages: Float32Array.from(texts, (_, i) => 0.7 - 1.4 * (i % 2)),
  }),
};
