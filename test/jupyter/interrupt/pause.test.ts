import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TRAINING_MIME } from '../../../kernel/display/mime';
import { TestKernel, type Execution } from '../client';

/* An interrupt of a cell that trains: a pause, which nothing shows as an error where somebody looks. */

let kernel: TestKernel;

before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(`import { FastLanguageModel, openenv } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 512 });
model = FastLanguageModel.getPeftModel(model, { r: 4 });
const env = await openenv('game2048');`);
  await kernel.run('/** @reward */\nfunction long({ completion }: Sample) { return completion.length; }');
});
after(() => kernel.stop());

const TRAINS = `/** @grpo */
const config: GRPOConfig = { maxSteps: 100_000, numGenerations: 4, maxCompletionLength: 6, learningRate: 0 };`;

const send = (code: string, cellId?: string) =>
  kernel.send('shell', 'execute_request', { code, store_history: true }, [], { cellId });

const errors = ({ outputs }: Execution) =>
  outputs.filter(({ header }) => header.msg_type === 'error').map(({ content }) => content.ename);

/** Interrupts a cell that trains, once it has made steps, and returns what became of it. */
async function interrupted(id: string): Promise<Execution> {
  await kernel.published(
    ({ parentHeader, content }) => parentHeader.msg_id === id && content.data?.[TRAINING_MIME]?.status === 'running',
    'the run',
  );
  const from = kernel.iopub.length;
  await kernel.until(
    () => kernel.iopub.slice(from).some(({ content }) => content.data?.[TRAINING_MIME]?.log.length > 0),
    'a step',
  );
  await kernel.request('control', 'interrupt_request');
  return kernel.finish(id);
}

const status = () =>
  kernel.iopub.findLast(({ content }) => content.data?.[TRAINING_MIME])!.content.data[TRAINING_MIME].status;

test('an interrupt pauses the run of a cell without an error in its output, and cells behind it do not run', async () => {
  const id = send(TRAINS, 'grpo');
  const behind = send("console.log('behind')", 'behind');
  const run = await interrupted(id);
  assert.deepEqual(errors(run), []);
  const { status: ended, ename, evalue } = run.reply.content;
  assert.deepEqual(
    [ended, ename, evalue],
    ['error', 'CellPaused', 'The training was paused. Run the cell again to go on.'],
  );
  assert.equal((await kernel.finish(behind)).reply.content.status, 'aborted');
  await kernel.until(() => status() === 'paused', 'the pause');
  assert.equal(await kernel.run('trainer.status'), "'paused'");
});

test('the run goes on when its cell runs again, and pauses again', async () => {
  const id = send(TRAINS, 'grpo');
  const run = await interrupted(id);
  assert.match(
    run.outputs.map(({ content }) => content.text ?? '').join(''),
    /The paused run goes on after step \d+\./,
  );
  assert.deepEqual(errors(run), []);
  await kernel.until(() => status() === 'paused', 'the pause');
});

test('front ends that do not say which cell they run, as nbclient and papermill, get an error to stop at', async () => {
  const run = await interrupted(send(TRAINS));
  assert.equal(run.reply.content.ename, 'KeyboardInterrupt');
  assert.deepEqual(errors(run), ['KeyboardInterrupt']);
});

test('a cell that does not train keeps its KeyboardInterrupt, also after a pause', async () => {
  for (const code of ['await new Promise(() => {});', 'for (;;);']) {
    const id = send(code, 'grpo');
    await kernel.published(
      (it) => it.parentHeader.msg_id === id && it.header.msg_type === 'execute_input',
      'its start',
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    await kernel.request('control', 'interrupt_request');
    const run = await kernel.finish(id);
    assert.equal(run.reply.content.ename, 'KeyboardInterrupt', code);
    assert.deepEqual(errors(run), ['KeyboardInterrupt'], code);
  }
});
