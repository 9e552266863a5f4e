import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as joylab from '../../../kernel';
import { textTable } from '../../../kernel/display/table';
import { isInWorker, type ModelInWorker } from '../../../kernel/engines/trl/model';

const STEPS = 8;
const SAVE = 2;
/** The step in which a process is killed. */
const KILLED_IN = 6;

type Log = ReadonlyArray<Record<string, number>>;

/** Kills one of several processes while they train: what is said, what is left of them, and how the run goes on. */
export async function kill(processes: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'joylab-kill-'));
  const env = (await joylab.openenv('atari', { game: 'breakout' })) as joylab.AtariEnvironment;
  try {
    const model = await load(processes);
    const before = memoryUsed();
    let family: number[] = [];
    let killed = 0;
    const trainer = newTrainer(model, env, { outputDir: join(folder, 'killed') }, (step) => {
      if (step !== KILLED_IN - 1 || killed > 0) return;
      family = processesOf(model);
      const victim = childrenOf(parentOf(model.held.pid!)).find((pid) => pid !== model.held.pid)!;
      process.kill(victim, 'SIGKILL');
      killed = Date.now();
    });
    const message = await failure(trainer.train());
    console.log(`Told ${((Date.now() - killed) / 1000).toFixed(1)} s after the kill:\n${message}\n`);
    console.log(`${family.length} processes before, ${await left(family)} left.`);
    console.log(`GPU memory in use, MiB: ${before} while training, ${memoryUsed()} after.\n`);
    const checkpoint = join(folder, 'killed', `checkpoint-${KILLED_IN - SAVE}`);
    await trainer.train();
    const logs: Array<[string, Log]> = [[`${processes}, the same run`, trainer.logHistory]];
    await trainer.dispose();
    await model.dispose();
    for (const count of [1, processes]) {
      const next = await load(count);
      const args = { outputDir: join(folder, `resumed-${count}`), resumeFromCheckpoint: checkpoint };
      const resumed = newTrainer(next, env, args);
      await resumed.train();
      logs.push([`${count}, another kernel's`, resumed.logHistory]);
      await resumed.dispose();
      await next.dispose();
    }
    print(logs);
  } finally {
    await env.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function load(processes: number): Promise<ModelInWorker> {
  const { model } = await joylab.FastLanguageModel.fromPretrained({
    modelName: 'joylab/strategist',
    maxSeqLength: 512,
    backend: 'trl',
    launch: { numProcesses: processes },
  });
  const peft = joylab.FastLanguageModel.getPeftModel(model, { r: 16, loraAlpha: 32 });
  if (!isInWorker(peft)) throw new Error('the model is not in a worker');
  return peft;
}

function newTrainer(
  model: ModelInWorker,
  env: joylab.AtariEnvironment,
  more: joylab.GRPOConfig,
  onStepBegin: (step: number) => void = () => {},
): joylab.GRPOTrainer {
  return new joylab.GRPOTrainer({
    model,
    processingClass: model.tokenizer,
    env,
    rewardFuncs: [
      function score({ episode }) {
        return episode ? episode.return : -1;
      },
    ],
    args: {
      maxSteps: STEPS,
      saveSteps: SAVE,
      numGenerations: 8,
      maxCompletionLength: 128,
      learningRate: 1e-4,
      measureReference: false,
      ...more,
    },
    callbacks: [{ onStepBegin: ({ state }) => onStepBegin(state.globalStep) }],
  });
}

async function failure(training: Promise<unknown>): Promise<string> {
  try {
    await training;
  } catch (error) {
    return String((error as Error).message);
  }
  throw new Error('Training went on without the process that was killed.');
}

/** The worker's processes, with what started them. */
function processesOf(model: ModelInWorker): number[] {
  const launcher = parentOf(model.held.pid!);
  return [parentOf(launcher), launcher, ...childrenOf(launcher)];
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

function childrenOf(parent: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((pid) => {
    try {
      return parentOf(pid) === parent;
    } catch {
      return false;
    }
  });
}

/** How many of some processes are left, at the latest after ten seconds. */
async function left(pids: readonly number[]): Promise<number> {
  const alive = () => pids.filter((pid) => isAlive(pid)).length;
  for (let i = 0; i < 100 && alive() > 0; i++) await wait(100);
  return alive();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Of each GPU, as its driver says. */
function memoryUsed(): string {
  const asked = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
  const { status, stdout } = spawnSync('nvidia-smi', asked, { encoding: 'utf8' });
  return status === 0 ? stdout.trim().split('\n').join(', ') : '–';
}

function print(logs: ReadonlyArray<[string, Log]>): void {
  const columns = ['processes', 'steps', 'grad_norm of the steps', 'reward of the steps'];
  const rows = logs.map(([name, log]) => {
    const steps = log.filter(({ grad_norm }) => grad_norm !== undefined);
    const all = (key: string) => steps.map((entry) => entry[key].toFixed(3)).join(' ');
    return [name, String(steps.length), all('grad_norm'), all('reward')];
  });
  console.log(
    textTable(
      columns.map((title) => ({ title })),
      rows,
    ),
  );
}
