import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, beforeEach, mock, test } from 'node:test';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';
import { trackedMetrics } from '../../kernel/training/tracking/tracking';
import { eventually } from '../eventually';
import { freshModel, newTrainer, outcome, quietHost } from '../grpo/fixtures';

// Runs that are reported to Trackio and Weights & Biases, read by these: their Python packages are peers of the tests.

interface PeerRun {
  name: string;
  id?: string;
  project?: string;
  exit?: number;
  config: Record<string, any>;
  log: Array<Record<string, number>>;
}

let folder = '';
let printed: string[] = [];
const environment = { ...process.env };

before(quietHost);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'joylab-tracking-'));
  process.env.TRACKIO_DIR = join(folder, 'trackio');
  process.env.WANDB_DIR = folder;
  printed = [];
  for (const name of ['log', 'warn'] as const) mock.method(console, name, (text: string) => void printed.push(text));
});
afterEach(() => {
  mock.restoreAll();
  process.env = { ...environment };
  rmSync(folder, { recursive: true, force: true });
});

function peer(tracker: 'trackio' | 'wandb', where: string): PeerRun[] {
  const script = join(packageRoot, 'test/training/tracking_peer.py');
  return JSON.parse(execFileSync(pythonPath(), [script, tracker, where], { encoding: 'utf8' }));
}

const stepsOf = (run?: PeerRun): string => run?.log.map(({ step }) => step).join() ?? '';

/** A log as trackers should have it. */
function expected(log: ReadonlyArray<Record<string, number>>): Array<Record<string, number>> {
  return log.map((entry) => ({ ...trackedMetrics(entry) }));
}

test('a run that is reported to Trackio and W&B has the same numbers there, with its steps and settings', async () => {
  const trainer = newTrainer(await freshModel(), {
    maxSteps: 3,
    reportTo: ['trackio', 'wandb'],
    project: 'letters',
    runName: 'first',
  });
  await trainer.train();
  const log = expected(trainer.logHistory);
  assert.ok('train/reward' in log[0] && 'train/rewards/letters/mean' in log[0], 'names of TRL');

  const [run, ...others] = peer('trackio', 'letters');
  assert.equal(others.length, 0);
  assert.equal(run.name, 'first');
  assert.deepEqual(
    run.log,
    log.map((entry, i) => ({ ...entry, step: i + 1 })),
  );
  assert.equal(run.config.seed, 7);
  assert.equal(run.config.numGenerations, 4);
  assert.match(run.config.versions.joylab, /^\d/);

  const [logged] = peer('wandb', join(folder, 'wandb'));
  assert.deepEqual([logged.project, logged.name, logged.id, logged.exit], ['letters', 'first', trainer.runId, 0]);
  assert.deepEqual(logged.log, log);
  assert.equal(logged.config.learningRate, 1e-3);
  assert.equal(JSON.stringify([run, logged]).includes(process.env.HOME ?? 'no home'), false, 'nothing of the user');
  assert.ok(
    printed.some((line) => /^trackio: logged on this machine; trackio show --project "letters"/.test(line)),
    printed.join('\n'),
  );
  assert.ok(
    printed.some((line) => /^wandb: logged on this machine; wandb sync .*offline-run-/.test(line)),
    printed.join('\n'),
  );
});

test('a run that was paused goes on as the same run, and evaluations have their own names', async () => {
  const abort = new AbortController();
  const evalDataset = [{ prompt: [{ role: 'user', content: 'Write strategy(state).' }] }];
  const trainer = newTrainer(
    await freshModel(),
    { maxSteps: 4, reportTo: 'trackio', evalStrategy: 'steps', evalSteps: 2 },
    { evalDataset, onStep: ({ step }) => void (step === 2 && abort.abort()) },
  );
  assert.equal((await trainer.train({ signal: abort.signal })).status, 'paused');
  assert.equal((await trainer.train()).status, 'finished');
  const [run, ...others] = peer('trackio', 'huggingface');
  assert.equal(others.length, 0);
  assert.equal(run.name, `text-${trainer.runId.slice(0, 8)}`);
  assert.deepEqual(
    run.log.filter((entry) => 'train/loss' in entry).map(({ step }) => step),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    run.log.flatMap((entry) => entry['eval/reward'] ?? []),
    trainer.logHistory.flatMap((entry) => entry.eval_reward ?? []),
  );
});

test('of a process that is killed the tracker has all that was logged', async () => {
  const { signal } = spawnSync(process.execPath, [join(__dirname, 'tracked_and_killed.js')], { stdio: 'ignore' });
  assert.equal(signal, 'SIGKILL');
  // Its client finishes a moment later.
  await eventually(() => stepsOf(peer('trackio', 'huggingface')[0]) === '1,2', 'both steps');
});

test('a tracker that fails is one sentence, and the run has the same numbers', async () => {
  const plain = newTrainer(await freshModel(), { maxSteps: 2 });
  await plain.train();
  const file = join(folder, 'a file');
  writeFileSync(file, '');
  process.env.TRACKIO_DIR = join(file, 'trackio');
  const trainer = newTrainer(await freshModel(), { maxSteps: 2, reportTo: 'trackio' });
  await trainer.train();
  assert.equal(trainer.status, 'finished');
  assert.deepEqual(outcome(trainer), outcome(plain));
  const problems = printed.filter((line) => line.startsWith('reportTo'));
  assert.equal(problems.length, 1, printed.join('\n'));
  assert.match(
    problems[0],
    /^reportTo: 'trackio' does not have all of this run, which goes on: .*Not a directory.*\.$/,
  );
});

test('without the client of a tracker, the sentence says how to install it', async () => {
  // Pythons that have no packages.
  const python = join(folder, 'python3');
  writeFileSync(python, '#!/bin/sh\nexit 1\n');
  chmodSync(python, 0o755);
  process.env.PATH = `${folder}:${process.env.PATH}`;
  process.env.JOYLAB_PYTHON = python;
  process.env.JOYLAB_GPU_PYTHON = '';
  const trainer = newTrainer(await freshModel(), { maxSteps: 1, reportTo: ['wandb'] });
  await trainer.train();
  assert.equal(trainer.status, 'finished');
  assert.match(
    printed.join('\n'),
    /^reportTo: 'wandb' does not have all of this run, which goes on: no Python has its client: .* -m pip install wandb\.$/,
  );
  assert.deepEqual(readdirSync(folder), ['python3']);
});
