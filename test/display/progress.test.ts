import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import { buildRoot } from '../../kernel/common/packagePaths';
import { TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(`import { FastLanguageModel, executeWithTimeLimit, openenv, rollout } from 'joylab';
const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256 });
const env = await openenv('atari', { game: 'breakout' });
const slow = (i: number) => \`function strategy() { let x = \${i}; for (let i = 0; i < 10000; i++) x += i; return "LEFT"; }\`;`);
  await kernel.run(
    '/** @reward */\nfunction scores({ episode }: { episode: { return: number } | null }) { return episode?.return ?? 0; }',
  );
});
after(() => kernel.stop());

/** Displays and updates of a cell, those of one display ID together: what each said first, and last. */
async function lines(code: string): Promise<Array<{ texts: string[]; html: string; last: object }>> {
  const { outputs } = await kernel.execute(code);
  const byId = new Map<string, any[]>();
  for (const { content } of outputs) {
    const id = content.transient?.display_id;
    if (id) byId.set(id, [...(byId.get(id) ?? []), content.data]);
  }
  return [...byId.values()].map((all) => ({
    texts: all.flatMap((data) => data['text/plain'] ?? []),
    html: all[0]['text/html'],
    last: all.at(-1),
  }));
}

test('many works in a cell have one line, which says what is done, how far it is, and is gone at the end', async () => {
  const shown =
    await lines(`await rollout(env, Array.from({ length: 8 }, (_, i) => slow(i)), { seeds: Array.from({ length: 8 }, () => 1), maxSteps: 200, strategyTimeLimit: 60 });
await model.generate({ ...tokenizer('function'), numReturnSequences: 64, maxNewTokens: 200, seed: 1 });`);
  assert.equal(shown.length, 1);
  const [{ texts, html, last }] = shown;
  assert.ok(
    texts.some((text) =>
      /^(Playing episodes of breakout: \d+ of 8|Generating completions: \d+ of 64)( \(\d+ s\)|, about \d+ s left)?$/.test(
        text,
      ),
    ),
    texts.join('\n'),
  );
  assert.match(html, /^<div>(<progress value="0\.\d+" max="1" title="[^"]+" style="[^"]+"><\/progress> )?\w/);
  assert.deepEqual(last, {}, 'a saved notebook has no rest of it');
});

test('what is over soon says nothing; a cell that fails leaves no line', async () => {
  assert.deepEqual(await lines(`await executeWithTimeLimit(slow(1), env, { maxSteps: 2 });`), []);
  const shown = await lines(
    `await rollout(env, Array.from({ length: 20 }, (_, i) => slow(i)), { seeds: Array.from({ length: 20 }, () => 9), maxSteps: 200, strategyTimeLimit: 60 }); throw new Error('x');`,
  );
  assert.deepEqual(
    shown.map(({ last }) => last),
    [{}],
  );
});

test('work that goes on after its cell was interrupted is not shown any more', async () => {
  const id = kernel.send('shell', 'execute_request', {
    code: `const { withProgress } = await import(${JSON.stringify(join(buildRoot, 'kernel/display/progress/progress'))});
await withProgress('Counting', 1000, async (task) => {
  for (let i = 0; i < 40; i++) {
    task.update(i);
    await new Promise((go) => setTimeout(go, 50));
  }
});`,
  });
  const shown = () => kernel.iopub.filter((it) => it.parentHeader.msg_id === id && it.content.data);
  await kernel.until(() => shown().length > 1, 'a line');
  await kernel.request('control', 'interrupt_request');
  await kernel.finish(id);
  const { length } = shown();
  assert.deepEqual(shown().at(-1)!.content.data, {});
  await kernel.run('await new Promise((go) => setTimeout(go, 2000))');
  assert.equal(shown().length, length);
});

test('the output of a training run is there at once, and says what it waits for', async () => {
  const { outputs } = await kernel.execute(`/** @grpo */
const config = { maxSteps: 2, numGenerations: 32, maxCompletionLength: 128, seed: 1 };`);
  const runs = outputs.flatMap(({ content }): TrainingData[] => content.data?.[TRAINING_MIME] ?? []);
  assert.deepEqual([runs[0].status, runs[0].step], ['running', 0]);
  const stages = runs.flatMap(({ stage }) => stage ?? []);
  assert.ok(
    stages.some((stage) =>
      /^(Building the training graph|Generating completions: \d+ of 32|Playing episodes of breakout|Computing gradients)/.test(
        stage,
      ),
    ),
    stages.join('\n'),
  );
  assert.deepEqual([runs.at(-1)!.status, runs.at(-1)!.stage], ['finished', undefined]);
  const others = outputs.filter(({ content }) => content.data && !content.data[TRAINING_MIME]);
  assert.deepEqual(others, [], 'no line beside it');
  assert.ok(
    runs.every(({ rewards }) => rewards?.rows.length === 1),
    'it has the panel of rewards',
  );
});

test('a program without a notebook prints nothing of it', () => {
  const script = `const { withProgress } = require(${JSON.stringify(join(buildRoot, 'kernel/display/progress/progress'))});
withProgress('Waiting', 3, async (task) => { task.update(1); await new Promise((go) => setTimeout(go, 1500)); task.update(2); });`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  assert.equal(stdout + stderr, '');
});
