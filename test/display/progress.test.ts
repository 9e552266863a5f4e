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

/** What a front end shows of a cell in the end. */
function rest(outputs: any[]): any[] {
  const shown: any[] = [];
  for (const { header, content } of outputs) {
    const id = content.transient?.display_id;
    const same = shown.filter((one) => id !== undefined && one.transient?.display_id === id);
    for (const one of same) one.data = content.data;
    if (header.msg_type === 'clear_output') shown.length = 0;
    else if (header.msg_type !== 'update_display_data') shown.push({ ...content });
  }
  return shown.map(({ data, text }) => data ?? text);
}

/** Displays and updates of a cell, those of one display ID together: what each said. And what is left in the end. */
async function lines(code: string): Promise<{ lines: Array<{ texts: string[]; html: string }>; left: any[] }> {
  const { outputs } = await kernel.execute(code);
  const byId = new Map<string, any[]>();
  for (const { content } of outputs) {
    const id = content.transient?.display_id;
    if (id) byId.set(id, [...(byId.get(id) ?? []), content.data]);
  }
  const lines = [...byId.values()].map((all) => ({
    texts: all.flatMap((data) => data['text/plain'] ?? []),
    html: all[0]['text/html'],
  }));
  return { lines, left: rest(outputs) };
}

test('many works in a cell have one line, which says what is done, how far it is, and is gone at the end', async () => {
  const { lines: shown, left } =
    await lines(`await rollout(env, Array.from({ length: 8 }, (_, i) => slow(i)), { seeds: Array.from({ length: 8 }, () => 1), maxSteps: 200, strategyTimeLimit: 60 });
await model.generate({ ...tokenizer('function'), numReturnSequences: 64, maxNewTokens: 200, seed: 1 }).then(({ sequences }) => sequences.length)`);
  assert.equal(shown.length, 1);
  const [{ texts, html }] = shown;
  assert.ok(
    texts.some((text) =>
      /^(Playing episodes of breakout: \d+ of 8|Generating completions: \d+ of 64)( \(\d+ s\)|, about \d+ s left)?$/.test(
        text,
      ),
    ),
    texts.join('\n'),
  );
  assert.match(html, /^<div>(<progress value="0\.\d+" max="1" title="[^"]+" style="[^"]+"><\/progress> )?\w/);
  assert.deepEqual(left, [{ 'text/plain': '64' }], 'a saved notebook has the value alone');
});

test('what is over soon says nothing; a cell that fails leaves no line', async () => {
  assert.deepEqual((await lines(`await executeWithTimeLimit(slow(1), env, { maxSteps: 2 });`)).lines, []);
  const { lines: shown, left } = await lines(
    `await rollout(env, Array.from({ length: 20 }, (_, i) => slow(i)), { seeds: Array.from({ length: 20 }, () => 9), maxSteps: 200, strategyTimeLimit: 60 }); throw new Error('x');`,
  );
  assert.deepEqual([shown.length, left.length], [1, 1], 'the error alone is left');
});

test('what is shown beside a line stays as it is; what a person may have used since is not shown anew', async () => {
  const withProgress = `(await import(${JSON.stringify(join(buildRoot, 'kernel/display/progress/progress'))})).withProgress`;
  const wait = `${withProgress}('Waiting', 0, () => new Promise((go) => setTimeout(go, 1400)))`;
  const around = await lines(`import { display } from 'joylab';
console.log('before');
const shown = display('first');
await ${wait};
shown.update('second');
console.log('after');
await new Promise((go) => setTimeout(go, 700));
'value'`);
  assert.deepEqual(around.left, ['before\n', { 'text/plain': 'second' }, 'after\n', { 'text/plain': "'value'" }]);
  const used = await kernel.execute(`display({ 'application/x-view': 1, 'text/plain': 'view' });
await new Promise((go) => setTimeout(go, 1000));
await ${wait};`);
  assert.deepEqual(rest(used.outputs), [{ 'application/x-view': 1, 'text/plain': 'view' }, {}]);
  assert.ok(!used.outputs.some(({ header }) => header.msg_type === 'clear_output'));
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
  const shown = () =>
    kernel.iopub.filter((it) => it.parentHeader.msg_id === id && /display|clear/.test(it.header.msg_type));
  await kernel.until(() => shown().length > 1, 'a line');
  await kernel.request('control', 'interrupt_request');
  await kernel.finish(id);
  const { length } = shown();
  assert.deepEqual(rest(shown()), []);
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
