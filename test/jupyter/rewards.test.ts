import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TRAINING_MIME } from '../../kernel/display/mime';
import { plain, TestKernel, text } from './client';
import { interruptCell } from './interrupt/interruptCell';

const LIBRARY = `const backtracks = () => /^(a+)+$/.test('a'.repeat(40) + '!');
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
exports.loop = () => { for (;;); };
exports.later = async () => { await wait(5); return backtracks(); };
exports.timer = () => new Promise(() => setTimeout(() => { for (;;); }, 5));`;

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start({ 'library.js': LIBRARY, 'own.ts': 'export function loop(): number { for (;;); }' });
  await kernel.run(`import { FastLanguageModel, GRPOTrainer, rewardRegistry, scoreSamples } from 'joylab';
import * as own from './own';
const library = require('./library.js');
const sample = (completion: string): any => ({ prompt: '', completion, completionIds: [1], code: null, problems: [], episode: null, step: 1 });
const samples = ['a', 'b', 'c'].map(sample);
const names = () => rewardRegistry.list().map(({ name }) => name).join();
let kept = 'kept';`);
});
after(() => kernel.stop());

/** Runs a cell as JupyterLab does; returns what it printed, or its error. */
async function cell(code: string, cellId?: string, deletedCells?: string[]): Promise<string> {
  const { reply, outputs } = await kernel.execute(code, { metadata: { cellId, deletedCells } });
  const { status, traceback } = reply.content;
  return plain(text(outputs) + (status === 'ok' ? '' : traceback.join('\n')));
}

/** The reward functions that the view of the newest run shows: name, weight, whether it counts, where it is. */
function shownRewards(): unknown[][] {
  const { rewards } = kernel.iopub.findLast(({ content }) => content.data?.[TRAINING_MIME])!.content.data[
    TRAINING_MIME
  ];
  return rewards.rows.map(({ name, weight, enabled, source }: any) => [
    name,
    weight,
    enabled,
    /^Cell \[\d+\], line 2$/.test(source),
  ]);
}

/** Bodies of reward functions that never come to an end; the library has no guards. */
const ENDLESS: Record<string, string> = {
  'a loop': '() => { for (;;); }',
  'a loop that catches all': '() => { for (;;) try { for (;;); } catch {} }',
  'a regular expression': "() => Number(/^(a+)+$/.test('a'.repeat(40) + '!'))",
  'a promise that never settles': '() => new Promise(() => {})',
  'a regular expression after an await':
    "async () => { await new Promise((resolve) => setTimeout(resolve, 5)); return Number(/^(a+)+$/.test('a'.repeat(40) + '!')); }",
  'a loop of a library': '() => library.loop()',
  'a library after an await': '() => library.later()',
  'a timer of a library': '() => library.timer()',
  'a file of the notebook': '() => own.loop()',
};

for (const [what, score] of Object.entries(ENDLESS)) {
  test(`an interrupt ends ${what} in a reward function, and the kernel lives`, { timeout: 120_000 }, async () => {
    await interruptCell(
      kernel,
      `await scoreSamples([{ name: 'endless', weight: 1, score: (${score}) as any }], samples);`,
    );
    assert.equal(await kernel.run('kept'), "'kept'");
  });
}

test('a cell owns its functions: run again, they are replaced as a set', async () => {
  await kernel.run('rewardRegistry.clear();');
  const reward = (...names: string[]) =>
    `/** @reward */\n${names.map((name) => `function ${name}() { return 1; }`).join('\n')}`;
  assert.equal(await cell(reward('wins', 'plays'), 'A'), '');
  assert.match(
    await cell(reward('winsRenamed', 'plays'), 'A'),
    /^No longer a reward, as this cell does not register it any more: wins\.\n$/,
  );
  assert.equal(await kernel.run('names()'), "'plays,winsRenamed'");

  for (const broken of [
    '/** @reward */\nfunction wins() {',
    '/** @reward */\nfunction wins() { return nothing; }',
    `${reward('wins')}\nthrow new Error('x');`,
    '/** @rewrad */\nfunction wins() {}',
    'throw 1;',
  ]) {
    assert.match(
      await cell(broken, 'A'),
      /As this run failed, the rewards of the cell's run before still count: plays, winsRenamed\.\n/,
    );
  }
  assert.equal(await kernel.run('names()'), "'plays,winsRenamed'");

  assert.match(
    await cell(reward('plays', 'extra'), 'copy of A'),
    /^plays is now the function of this cell; that of Cell \[\d+\] does not count any more\.\n$/,
  );
  assert.match(await cell('const other = 1;', 'A'), /^No longer a reward.*: winsRenamed\.\n$/);
  assert.equal(await kernel.run('names()'), "'plays,extra'");
  assert.match(
    await cell('const next = 1;', 'another', ['copy of A']),
    /^Still a reward, though its cell was deleted: plays, extra\. To remove it: rewardRegistry\.unregister\("plays"\)\.\n$/,
  );
  assert.match(await cell('rewardRegistry', 'another'), /plays +1 +yes +Cell \[\d+\], line 2, deleted\n/);
});

test('functions registered by a call are replaced by calls', async () => {
  await kernel.run('rewardRegistry.clear();');
  await cell("void rewardRegistry.register('first', () => 1);", 'C');
  assert.equal(await cell('const nothing = 1;', 'C'), '', 'what it calls may be loaded once');
  assert.match(
    await cell("void rewardRegistry.register('second', () => 1);", 'C'),
    /^No longer a reward.*: first\.\n$/,
  );
  assert.equal(await kernel.run('names()'), "'second'");
});

test('where the front end does not tell the cell, functions are replaced by name, and what is left is told', async () => {
  await kernel.run('rewardRegistry.clear();');
  await cell('/** @reward */\nfunction a() { return 1; }\nfunction b() { return 1; }');
  assert.match(
    await cell('/** @reward */\nfunction a() { return 1; }\nfunction c() { return 1; }'),
    /^Still a reward, from Cell \[\d+\]: b\. To remove it: rewardRegistry\.unregister\("b"\)\.\n$/,
  );
  assert.equal(await kernel.run('names()'), "'a,b,c'");
});

test('a run lives on when the reward cell is ended while it scores again, and when a reward takes too long', {
  timeout: 120_000,
}, async () => {
  await kernel.run('rewardRegistry.clear();');
  await cell('/** @reward */\nfunction long({ completion }: Sample) { return completion.length; }', 'R');
  await kernel.run(`const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 64 });
const args = { maxSteps: 3, numGenerations: 4, maxCompletionLength: 6, rewardTimeLimit: 0.3 };
const callbacks = [{ onStepEnd: ({ state, control }: any) => void (control.shouldTrainingStop = state.globalStep === 1) }];
const trainer = new GRPOTrainer({ model: FastLanguageModel.getPeftModel(model, { r: 4 }), processingClass: tokenizer, trainDataset: [{ prompt: 'let' }], args, callbacks });`);
  const weights =
    '[...trainer.model.trainableParameters().values()].map(({ data }) => data.reduce((sum, value) => sum + Math.abs(value), 0)).join()';
  await cell('await trainer.train();');
  assert.deepEqual(shownRewards(), [['long', 1, true, true]]);
  const trained = await kernel.run(weights);

  const endless =
    '/** @reward timeLimit=100 */\nfunction long({ completion }: Sample) { for (;;); }\nfunction other() { return 1; }';
  const id = kernel.send('shell', 'execute_request', { code: `console.log('started');\n${endless}` }, [], {
    cellId: 'R',
  });
  await kernel.published(
    (it) => it.parentHeader.msg_id === id && String(it.content.text).startsWith('started'),
    'the start',
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  await kernel.request('control', 'interrupt_request');
  const { reply, outputs } = await kernel.finish(id);
  assert.equal(reply.content.ename, 'KeyboardInterrupt');
  assert.match(text(outputs), /As this run failed, the rewards of the cell's run before still count: long\.\n$/);
  assert.equal(await kernel.run("names() + ' ' + trainer.status + ' ' + trainer.globalStep"), "'long paused 1'");

  assert.match(
    await cell('/** @reward */\nfunction long({ completion }: Sample) { for (;;); }', 'R'),
    /could not be scored again\.[^]*long +0 +took more than 0\.3 s on sample 0 of 4 .*it is in Cell \[\d+\], line 2\..*raise rewardTimeLimit/,
  );
  assert.match(await cell('await trainer.train();'), /RewardError: Reward function "long" took more than 0\.3 s/);
  assert.equal(await kernel.run("trainer.status + ' ' + trainer.globalStep"), "'paused 1'");
  assert.equal(await kernel.run(weights), trained);
  const careless =
    "/** @reward */\nfunction long({ completion }: Sample) {\n  if (completion === samples[0].completion) return 0;\n  throw new Error('careless');\n}";
  assert.match(
    await cell(careless, 'R'),
    /could not be scored again\.[^]*threw on sample 0 of 8 .*careless \(Cell \[\d+\], line 4, column 9\)[^]*> 4 \|   throw new Error/,
  );
  assert.doesNotMatch(
    await cell('/** @reward */\nfunction long({ completion }: Sample) { return completion.length; }', 'R'),
    /could not/,
  );
  await kernel.run('await trainer.train();');
  assert.equal(await kernel.run("trainer.status + ' ' + trainer.globalStep"), "'finished 3'");
});

test('weights, an off switch, and a table of what counts', async () => {
  await kernel.run('rewardRegistry.clear();');
  await cell('/** @reward weight=2 timeLimit=60 */\nfunction judge() { return 1; }', 'J');
  await cell('/** @reward off */\nfunction slow() { return 1; }', 'S');
  assert.match(
    await cell('rewardRegistry'),
    /^reward +weight +counts +time limit .* from\njudge +2 +yes +60 .* Cell \[\d+\], line 2\nslow +1 +off .* Cell \[\d+\], line 2\n/,
  );
  await cell(
    'const trainer2 = new GRPOTrainer({ model: trainer.model, processingClass: tokenizer, trainDataset: [{ prompt: "let" }], args: { maxSteps: 1, numGenerations: 2, maxCompletionLength: 2 } }); await trainer2.train();',
  );
  assert.deepEqual(shownRewards(), [
    ['judge', 2, true, true],
    ['slow', 1, false, true],
  ]);
  assert.deepEqual(
    JSON.parse(
      (
        await kernel.run('JSON.stringify(Object.keys(trainer2.logHistory[0]).filter((name) => /^rewards/.test(name)))')
      ).slice(1, -1),
    ),
    ['rewards/judge/mean', 'rewards/judge/std'],
  );
  await kernel.run("rewardRegistry.setEnabled('slow', true); rewardRegistry.setWeight('judge', 3);");
  assert.match(await cell('rewardRegistry'), /judge +3 +yes[^]*slow +1 +yes/);
  assert.match(
    await cell('/** @reward weight=2 off */\nfunction judge() { return 1; }', 'J'),
    /^judge: weight 3 → 2\.\njudge is off: it does not count\.\n$/,
  );
  await kernel.run("rewardRegistry.setEnabled('slow', false);");
  assert.match(await kernel.fail('await trainer2.train()'), /No reward function counts: judge, slow are off\./);
  assert.match(
    await kernel.fail("rewardRegistry.setEnabled('nope', true)"),
    /There is no reward function "nope"\. Registered: judge, slow\./,
  );
});
