import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildRoot, pythonPath } from '../../kernel/common/packagePaths';
import { openenv } from '../../kernel/environments';
import { GRPOTrainer, type TrainingStep } from '../../kernel/grpo';
import { FastLanguageModel } from '../../kernel/models';
import type { RewardInput } from '../../kernel/rewards';
import { exportNotebook, joylab, type Cell } from '../cells/exporting';

// A notebook as a script of TRL's, run by PyTorch, transformers, PEFT and TRL as they are.

const folder = mkdtempSync(join(tmpdir(), 'joylab-export-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const config = {
  maxSteps: 2,
  numGenerations: 4,
  gradientAccumulationSteps: 2,
  stepsPerGeneration: 1,
  maxCompletionLength: 96,
  maxEpisodeSteps: 60,
  shuffleDataset: false,
  learningRate: 1e-3,
  beta: 0,
  seed: 11,
};

const REWARDS = `
/** Does it play?
 * @reward weight=0.5 */
function played({ code, problems }: Sample) { return code === null ? -1 : problems.length; }

/** @reward */
function points({ episode, logMetric }: RewardInput) {
  logMetric('played', episode ? 1 : 0);
  return episode ? episode.return + episode.steps / 1000 : null;
}

/** @reward off */
function unused() { return 1; }

/** @reward weight=2 */
function bonus({ extra, completion, trainerState }: RewardInput<{ extra: number }>) {
  return extra + completion.length / 1000 + (trainerState?.globalStep ?? 100);
}`;

const cells: Cell[] = [
  "import { FastLanguageModel, openenv, strategyPrompt } from 'joylab';\nimport type { GRPOConfig, RewardInput, Sample } from 'joylab';",
  `let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 512 });
model = FastLanguageModel.getPeftModel(model, { r: 4, targetModules: ['q_proj', 'v_proj'] });
model`,
  "/** @openenv */\nconst env = await openenv('game2048');",
  `const prompt = strategyPrompt({
  name: '2048',
  stateVariables: env.stateVariables.filter(({ name }) => /_(points|empty|pairs)$/.test(name)),
  actions: env.actions
});
const written = await model.generate({ inputIds: tokenizer.encode(prompt), maxNewTokens: 4 });
console.log(written);`,
  REWARDS,
  `const dataset = [];
for (const extra of [0, 10, 20, 30]) dataset.push({ prompt: [{ role: 'user', content: prompt }], extra });`,
  `/** @grpo dataset=dataset */\nconst config: GRPOConfig = ${JSON.stringify(config)};`,
  "await model.savePretrained('never');",
];

/** What train.py asked for its completions, and what it was answered. */
interface Asked {
  completions: string[];
  completionIds: number[][];
  generation: number;
}
const asked: Asked[] = [];
const answers: { rewards: (number | null)[][]; metrics: Record<string, number[]> }[] = [];
let written: string;

before(() => {
  written = join(folder, 'script');
  exportNotebook(cells, written, folder);
  // Between Python and the process of the rewards, it notes what is said.
  const between = join(folder, 'between.js');
  const record = join(folder, 'record.jsonl');
  writeFileSync(
    between,
    `const { spawn } = require('node:child_process');
const { appendFileSync } = require('node:fs');
const child = spawn(process.execPath, [${JSON.stringify(join(buildRoot, 'kernel', 'cli.js'))}, ...process.argv.slice(2)], { stdio: ['pipe', 'pipe', 'inherit'] });
process.stdin.on('data', (data) => { appendFileSync(${JSON.stringify(record)}, data); child.stdin.write(data); });
process.stdin.on('end', () => child.stdin.end());
child.stdout.on('data', (data) => { appendFileSync(${JSON.stringify(record)}, data); process.stdout.write(data); });`,
  );
  const { status, stderr } = spawnSync(pythonPath(), ['train.py'], {
    cwd: written,
    env: { ...process.env, JOYLAB_CLI: between, JOYLAB_SECRET: 's'.repeat(32) },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr.slice(-3000));
  for (const line of readFileSync(record, 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))) {
    if (line.completions) asked.push(line);
    if (line.rewards) answers.push(line);
  }
});

test('the exported script trains with TRL, and saves the adapter', () => {
  assert.equal(answers.length, 4, 'two steps of two generations');
  assert.deepEqual(
    asked.map(({ generation }) => generation),
    [0, 1, 2, 3],
  );
  assert.ok(answers.some(({ rewards: [, points] }) => points.some((value) => value !== null && value > 0)));
  assert.ok(answers.every(({ metrics }) => metrics.played.length === config.numGenerations));
  assert.ok(!existsSync(join(written, 'never')));
  assert.ok(readdirSync(join(written, 'output', 'final')).includes('adapter_model.safetensors'));
});

test("its rewards are those of the notebook's own trainer on the same completions", async () => {
  process.env.JOYLAB_SECRET = 's'.repeat(32);
  const env = await openenv('game2048');
  const loaded = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 512 });
  const model = FastLanguageModel.getPeftModel(loaded.model, { r: 4, targetModules: ['q_proj', 'v_proj'] });
  const completions = asked.map(({ completionIds }) => completionIds);
  model.generate = async () => {
    const sequences = completions.shift()!;
    const logprobs = sequences.map((ids) => new Float32Array(ids.length));
    return { sequences, logprobs, terminated: sequences.map(() => true) } as never;
  };
  const steps: TrainingStep[] = [];
  const functions = new Function(
    `${REWARDS.replace(/\/\*\*[^]*?\*\//g, '').replace(/: (Sample|RewardInput(<[^>]*>)?)\)/g, ')')}
    return [{ name: 'played', score: played, weight: 0.5 }, { name: 'points', score: points, weight: 1 }, { name: 'bonus', score: bonus, weight: 2 }];`,
  )() as { name: string; score: (sample: RewardInput) => number | null; weight: number }[];
  const content = JSON.parse(readFileSync(join(written, 'dataset.jsonl'), 'utf8').split('\n')[0]).prompt[0].content;
  const trainer = new GRPOTrainer({
    model,
    processingClass: model.tokenizer,
    env,
    args: config,
    rewardFuncs: functions,
    trainDataset: [0, 10, 20, 30].map((extra) => ({ prompt: [{ role: 'user', content }], extra })),
    onStep: (step) => void steps.push(step),
  });
  await trainer.train();
  await trainer.dispose();
  await env.close();
  const expected = steps.map(({ rewards }) => rewards.values);
  const theirs = [0, 1].map((step) =>
    [0, 1, 2].map((f) => [...answers[2 * step].rewards[f], ...answers[2 * step + 1].rewards[f]]),
  );
  assert.deepEqual(theirs, expected);
  assert.deepEqual(
    steps.flatMap(({ samples }) => samples.map(({ completion }) => completion)),
    asked.flatMap((batch) => batch.completions),
  );
});

test('a job has what it installs, and the command that runs it', () => {
  const job = join(folder, 'job');
  exportNotebook(cells, job, folder, 'hf-job');
  const readme = readFileSync(join(job, 'README.md'), 'utf8');
  assert.match(readme, /hf jobs run --flavor \S+ --secrets HF_TOKEN .* -v \.:\/job python:3\.12 bash \/job\/run\.sh/);
  assert.equal(spawnSync('bash', ['-n', join(job, 'run.sh')]).status, 0);
  const packed = spawnSync('tar', ['-tzf', join(job, 'joylab.tgz')], { encoding: 'utf8' }).stdout;
  assert.match(packed, /^package\/kernel\/environments\/atari\/\S+\.py$/m);
  assert.match(packed, /^package\/package\.json$/m);
  const made = joylab(['export', join(folder, 'notebook.ipynb'), '--to', 'hf-job', '-o', job]);
  assert.match(made.stderr, /job is not empty: give another folder with -o/);
});
