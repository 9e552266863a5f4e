import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import { plain, TestKernel, text } from './client';

/*
 * Reward cells that are run while a model trains, as JupyterLab sends them:
 * the request of the training cell has no reply yet.
 */

let kernel: TestKernel;
/** The request of the cell that trains. */
let training: string;

before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(`import { FastLanguageModel, GRPOTrainer, rewardRegistry } from 'joylab';
const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 64 });
const args = { maxSteps: 100_000, numGenerations: 4, maxCompletionLength: 6, learningRate: 0 };
const trainer = new GRPOTrainer({ model: FastLanguageModel.getPeftModel(model, { r: 4 }), processingClass: tokenizer, trainDataset: [{ prompt: 'let' }], args });`);
  await cell(reward('completion.length'));
  training = send('await trainer.train();', 'T');
  await steps(2);
  await sinceStart();
});
after(() => kernel.stop());

const reward = (value: string) => `/** @reward */\nfunction long({ completion }: Sample): number { return ${value}; }`;

/** Sends a cell as JupyterLab does. */
function send(code: string, cellId = 'R'): string {
  return kernel.send('shell', 'execute_request', { code, store_history: true }, [], { cellId });
}

async function outcome(id: string): Promise<{ status: string; said: string; count: number }> {
  const { reply, outputs } = await kernel.finish(id);
  const { status, traceback, execution_count: count } = reply.content;
  return { status, count, said: plain(text(outputs) + (status === 'error' ? traceback.join('\n') : '')) };
}

const cell = (code: string, cellId?: string) => outcome(send(code, cellId));

/** What is sent within a second counts as sent together. */
const sinceStart = () => new Promise((resolve) => setTimeout(resolve, 1100));

/** Returns the run as the notebook has it. */
function shown(): TrainingData | undefined {
  return kernel.iopub.findLast(({ content }) => content.data?.[TRAINING_MIME])?.content.data[TRAINING_MIME];
}

/** Waits for more steps of the run. */
async function steps(count: number): Promise<void> {
  const wanted = (shown()?.step ?? 0) + count;
  await kernel.until(() => (shown()?.step ?? 0) >= wanted, `${count} steps`);
}

const isTraining = () => !kernel.replies.some(({ parentHeader }) => parentHeader.msg_id === training);
/** Returns what became of the function; the diagnosis of a run adds events of its own. */
const events = () =>
  shown()!
    .events.filter(({ text }) => text.startsWith('long '))
    .map(({ text }) => text);

test('an edited reward cell runs at once while a model trains, and the run takes the new function', async () => {
  const { status, said, count } = await cell(reward('-completion.length'));
  assert.equal(status, 'ok');
  assert.ok(isTraining());
  assert.match(said, /scored again without playing/);
  assert.match(said, /The run in progress uses long from its next step\.\n$/);
  assert.equal(count, 4, 'it has a number of its own');
  // The reply and the state come over two sockets.
  const state = () => kernel.iopub.findLast(({ header }) => header.msg_type === 'status');
  await kernel.until(() => state()?.content.execution_state === 'busy', 'the kernel is shown as busy again');
  assert.equal(state()!.parentHeader.msg_id, training);
  await kernel.until(() => events().some((text) => text.startsWith('long replaced (Cell [')), 'the mark');
  assert.ok(shown()!.log.at(-1)!['rewards/long/mean'] < 0);
});

test('a reward cell with an error leaves the run its function, and says so', async () => {
  const before = events().length;
  for (const [code, error] of [
    [reward('completion.lenght'), /Property 'lenght' does not exist/],
    [reward('completion.length;'.slice(0, -1) + ' +'), /Expression expected/],
    [`${reward('1')}\nconst broken = (null as any).x;`, /TypeError: Cannot read properties of null/],
    [`/** @reward wieght=2 */\nfunction long() { return 1; }`, /wieght/],
    [reward('(null as any).x'), /RewardError: Reward function "long" threw on sample 0 of \d+/],
  ] as const) {
    const { status, said } = await cell(code);
    assert.equal(status, 'error', code);
    assert.match(said, error);
    assert.match(said, /still count: long\. The run in progress goes on with them\./);
  }
  await steps(2);
  assert.ok(isTraining());
  assert.equal(events().length, before);
  assert.ok(shown()!.log.at(-1)!['rewards/long/mean'] < 0);
});

test('an interrupt ends a reward cell that does not end by itself, and the run goes on', async () => {
  const id = send(reward('(() => { for (;;); })()'));
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'execute_input', 'its start');
  await new Promise((resolve) => setTimeout(resolve, 500));
  await kernel.request('control', 'interrupt_request');
  const { status, said } = await outcome(id);
  assert.equal(status, 'error');
  assert.match(said, /KeyboardInterrupt/);
  assert.match(said, /still count: long\. The run in progress goes on with them\./);
  await steps(2);
  assert.ok(isTraining());
});

test('a cell that does more waits, and is told when the stop button drops it', async () => {
  const waiting = send(`${reward('1')}\nconsole.log('more');`, 'other');
  const behind = send(reward('2'), 'behind');
  await steps(2);
  await kernel.request('control', 'interrupt_request');
  assert.match((await outcome(training)).said, /KeyboardInterrupt/);
  for (const id of [waiting, behind]) {
    const { status, said } = await outcome(id);
    assert.equal(status, 'aborted');
    assert.match(
      said,
      /^This cell did not run: the one that it waited for was interrupted, or failed\. Run it again\.\n$/,
    );
  }
  assert.equal(await kernel.run('trainer.status'), "'paused'");
});

test('cells that are sent together run in their order', async () => {
  training = send('await trainer.train();', 'T');
  const together = send(reward('3'));
  await steps(2);
  await sinceStart();
  assert.ok(!kernel.replies.some(({ parentHeader }) => parentHeader.msg_id === together));
  await kernel.request('control', 'interrupt_request');
  await outcome(training);
  assert.deepEqual(await outcome(together), { status: 'aborted', said: '', count: undefined });
});
