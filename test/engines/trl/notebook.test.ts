import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pythonPath } from '../../../kernel/common/packagePaths';
import { TRAINING_MIME, type TrainingData } from '../../../kernel/display/mime';
import type { Message } from '../../../kernel/jupyter/message';
import { plain, TestKernel, text } from '../../jupyter/client';
import { eventually } from '../../eventually';

/** Threads that wait for one another take most of the time where other tests run beside. */
const ONE_THREAD = { OMP_NUM_THREADS: '1' };

// The notebook's cells, the model in a worker: nothing else of them differs.

let kernel: TestKernel;
let pid: number;
const GRPO = `/** @grpo */
const config: GRPOConfig = { maxSteps: 400, numGenerations: 4, maxCompletionLength: 64, maxEpisodeSteps: 60, measureReference: false, learningRate: 1e-3, seed: 7, outputDir: 'runs', saveSteps: 2, saveTotalLimit: 2 };`;

before(async () => {
  kernel = await TestKernel.start({}, { env: { JOYLAB_GPU_PYTHON: pythonPath(), ...ONE_THREAD } });
  await kernel.run(`import { FastLanguageModel, openenv } from 'joylab';
import type { GRPOConfig, Sample } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 512, loadIn4bit: false, backend: 'trl' });
model = FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8, randomState: 3407 });
const env = await openenv('atari', { game: 'breakout' });`);
  pid = await workerPid();
});
after(() => kernel.stop());

async function workerPid(): Promise<number> {
  return Number(await kernel.run('(model as any).held.pid'));
}

/** Starts the cell that trains, and does something once it shows so many steps. @returns what it printed or failed with, and the run at its end */
async function trainUntil(step: number, act: () => unknown): Promise<{ printed: string; run: TrainingData }> {
  const id = kernel.send('shell', 'execute_request', { code: GRPO });
  const mine = ({ parentHeader }: Message) => parentHeader.msg_id === id;
  const runOf = ({ content }: Message): TrainingData | undefined => content.data?.[TRAINING_MIME];
  await kernel.published((it) => mine(it) && (runOf(it)?.step ?? 0) >= step, `step ${step}`);
  await act();
  const { reply, all } = await kernel.finish(id);
  const failure = reply.content.status === 'error' ? reply.content.traceback.join('\n') : '';
  return { printed: plain(text(all) + failure), run: all.flatMap((it) => runOf(it) ?? []).at(-1)! };
}

const interrupt = () => kernel.request('control', 'interrupt_request');

test('cells train it: an interrupt pauses, the model writes in between, a replaced reward counts from the next step, the cell run again goes on', async () => {
  assert.match(await kernel.run('model'), /^TrlPeftModel\(joylab\/strategist: 4,410,112 parameters.*LoRA of rank 4/);
  await kernel.run('/** @reward */\nfunction long({ completion }: Sample) { return completion.length / 10; }');
  const first = await trainUntil(2, interrupt);
  assert.deepEqual([first.run.status, first.run.maxSteps, first.run.rewardNames], ['paused', 400, ['long']]);
  assert.ok(first.run.log.every(({ reward, grad_norm }) => reward > 0 && grad_norm > 0));
  const write =
    "tokenizer.decode((await model.generate({ ...tokenizer('function'), maxNewTokens: 4, seed: 1 })).sequences[0])";
  assert.notEqual(await kernel.run(write), "''");
  await kernel.run('/** @reward */\nfunction long({ completion }: Sample) { return -completion.length / 10; }');
  const { printed, run } = await trainUntil(first.run.step + 2, interrupt);
  assert.match(printed, new RegExp(`The paused run goes on after step ${first.run.step}`));
  assert.equal(run.runId, first.run.runId);
  assert.match(run.events.map((event) => event.text).join(), /long replaced/);
  assert.ok(run.log.at(-1)!.reward < 0);
  assert.equal(await workerPid(), pid, 'the same worker');
});

test('a worker that is killed pauses the run, which goes on from its last checkpoint with a new one', async () => {
  const { printed, run } = await trainUntil(9, () => process.kill(pid, 'SIGKILL'));
  assert.match(printed, /StateLost: The worker that holds the model ended by SIGKILL/);
  assert.match(printed, /Run the training again, and it goes on after step \d+, from .*checkpoint-\d+\./);
  assert.equal(run.status, 'paused');
  const again = await trainUntil(11, interrupt);
  assert.equal(again.run.runId, run.runId);
  assert.match(
    again.printed,
    /A new worker takes the place of the one that was lost, with the weights of .*checkpoint-\d+/,
  );
});

test('a worker ends with the kernel, also when that is killed', async () => {
  const worker = await workerPid();
  assert.notEqual(worker, pid);
  assert.ok(isAlive(worker));
  kernel.process.kill('SIGKILL');
  await eventually(() => !isAlive(worker), 'the worker has ended');
});

function isAlive(process_: number): boolean {
  try {
    return process.kill(process_, 0);
  } catch {
    return false;
  }
}
