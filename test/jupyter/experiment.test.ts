import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EXPERIMENT_MIME, type ExperimentData } from '../../kernel/display/experimentMime';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import { TestKernel } from './client';

// Without an extension: the experiment is an output of the notebook, and other kernels read the file.

const folder = mkdtempSync(join(tmpdir(), 'joylab-experiment-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'shared.ipynb');

const MODEL = `import { FastLanguageModel, openenv, saveExperiment } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 512, loadIn4bit: false });
model = FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8, randomState: 1 });
const env = await openenv('game2048');`;
const REWARD = '/** @reward weight=2 */\nfunction letters({ completion }: Sample) { return completion.length / 10; }';
const TRAIN = `/** @grpo */
const config: GRPOConfig = { maxSteps: 3, numGenerations: 4, maxCompletionLength: 12, maxEpisodeSteps: 20, learningRate: 1e-3, seed: 7, measureReference: false, rolloutsTotalLimit: 0 };`;

interface Run {
  training: TrainingData;
  text: string;
  saved: Record<string, any>;
}

/** Runs the notebook in a kernel of its own. */
async function runNotebook(change: (source: string) => string = (source) => source): Promise<Run> {
  const kernel = await TestKernel.start({}, { env: { JPY_SESSION_NAME: path } });
  try {
    const outputs = [];
    for (const [i, source] of [MODEL, REWARD, TRAIN, 'saveExperiment()'].entries()) {
      const { reply, all } = await kernel.execute(change(source), { metadata: { cellId: `cell-${i}` } });
      assert.equal(reply.content.status, 'ok', JSON.stringify(reply.content));
      outputs.push(all.filter(({ content }) => content.data).map(({ content }) => content.data as Record<string, any>));
    }
    const shown = outputs[2].filter((data) => data[TRAINING_MIME]).at(-1)!;
    const saved = outputs[3].find((data) => data[EXPERIMENT_MIME])!;
    return { training: shown[TRAINING_MIME], text: shown['text/plain'], saved };
  } finally {
    await kernel.stop();
  }
}

/** Writes the notebook's file, with an experiment as the output of its last cell, or with the third cell's metadata. */
function save(data: Record<string, any>, where: 'output' | 'metadata'): void {
  const cell = (id: number, more: object) => ({
    cell_type: 'code',
    id: `cell-${id}`,
    metadata: {},
    outputs: [],
    ...more,
  });
  const cells =
    where === 'output'
      ? [cell(2, {}), cell(3, { outputs: [{ output_type: 'execute_result', data, metadata: {} }] })]
      : [cell(2, { metadata: { joylab: { experiment: data[EXPERIMENT_MIME] } } }), cell(3, {})];
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells }));
}

let first: Run;

test('an experiment has settings, seeds, versions, reward sources and results, and nothing of the machine', async () => {
  first = await runNotebook();
  assert.equal(first.training.comparison, undefined, 'there is nothing to compare with');
  const data: ExperimentData = first.saved[EXPERIMENT_MIME];
  assert.deepEqual(data, first.training.experiment);
  assert.equal(data.settings.seed, 7);
  assert.equal(data.settings.topP, 1, 'defaults, too');
  assert.deepEqual(
    data.rewards.map(({ name, weight }) => [name, weight]),
    [['letters', 2]],
  );
  assert.match(data.rewards[0].source, /completion\.length \/ 10/);
  assert.equal(data.environment!.name, '2048');
  assert.equal(data.versions.node, process.versions.node);
  assert.deepEqual(data.results.steps, [1, 2, 3]);
  assert.deepEqual(
    data.results.rewards.map((reward) => Number(reward!.toPrecision(6))),
    first.training.log.map(({ reward }) => reward),
  );
  for (const place of [process.env.HOME!, folder, process.cwd()])
    assert.ok(!JSON.stringify(data).includes(place), place);
  assert.match(first.saved['text/plain'], /Saved with this notebook: settings, .*\n[\s\S]*3 of 3 steps, seed 7/);
  assert.match(first.saved['text/html'], /<table/);
});

test('opened by another kernel and run, the numbers are equal, and are shown beside the saved ones', async () => {
  save(first.saved, 'output');
  const again = await runNotebook();
  const { comparison, experiment } = again.training;
  assert.equal(comparison!.text, 'Equal to the saved experiment in all 3 steps.');
  assert.equal(comparison!.equal, true);
  assert.deepEqual(comparison!.differences, []);
  assert.deepEqual(experiment!.results, first.training.experiment!.results);
  for (const { metric, saved, now } of comparison!.rows) assert.equal(saved, now, metric);
  assert.match(
    again.text,
    /Equal to the saved experiment in all 3 steps\.\n\n +saved +this run\nsteps +3 +3\nreward, first step/,
  );
  assert.match(again.saved['text/plain'], /Equal to the saved experiment/);
});

test('where a setting, a weight or a reward function differs, it is named, and so is the first other step', async () => {
  save(first.saved, 'metadata');
  const rate = await runNotebook((source) => source.replace('learningRate: 1e-3', 'learningRate: 2e-3'));
  assert.equal(
    rate.training.comparison!.text,
    'Differs from the saved experiment from step 2 on. Likely because of learningRate 0.001 → 0.002.',
  );
  const reward = await runNotebook((source) => source.replace('weight=2', 'weight=3').replace('/ 10', '/ 11'));
  assert.match(
    reward.training.comparison!.text,
    /from step 1 on\. Likely because of another source of reward function letters; weight of letters 2 → 3\.$/,
  );
  const longer = await runNotebook((source) =>
    source.replace('maxSteps: 3', 'maxSteps: 4').replace('seed: 7', "seed: 7, lrSchedulerType: 'constant'"),
  );
  assert.match(longer.training.comparison!.text, /maxSteps 3 → 4; lrSchedulerType linear → constant/);
});

test('what a file has that is no experiment is not compared with', async () => {
  for (const wrong of [{ version: 2 }, { version: 1, results: {} }, [], 'text', null]) {
    save({ [EXPERIMENT_MIME]: wrong }, 'metadata');
    const { savedExperiment } = await import('../../kernel/grpo/experiment/saved.js');
    assert.equal(savedExperiment(path, 'cell-2'), null, JSON.stringify(wrong));
  }
});
