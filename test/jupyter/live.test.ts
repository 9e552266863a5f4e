import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import {
  TRAINING_COMM,
  TRAINING_MIME,
  type TrainingMessage,
  type TrainingViewMessage,
} from '../../kernel/display/mime';
import { TestKernel } from './client';

/*
 * A group is seen while it plays, by a view as JupyterLab has one: a comm that says how
 * many rollouts it shows.
 */

let kernel: TestKernel;
before(async () => void (kernel = await TestKernel.start()));
after(() => kernel.stop());

const VIEW = 'view';

/** An environment that takes its time, and draws. */
const ENVIRONMENT = `/** @openenv card=false */
class Lamp extends Environment<{ on: boolean }, { lit: number }> {
  lit = 0;
  steps = 0;
  reset() { this.lit = this.steps = 0; return { observation: { lit: 0 } }; }
  async step({ on }) {
    await new Promise((resolve) => setTimeout(resolve, 15));
    this.lit += Number(on);
    return { observation: { lit: this.lit }, reward: 1, done: ++this.steps >= 60 };
  }
  render() { return \`<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30"><text y="20">\${this.steps}</text></svg>\`; }
}`;

const TRAINING = `import { FastLanguageModel, GRPOTrainer, type Sample } from 'joylab';
const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 384 });
const args = { maxSteps: 2, numGenerations: 4, maxCompletionLength: 128, maxEpisodeSteps: 60, learningRate: 0, measureReference: false };
const rewardFuncs = ({ completion }: Sample) => completion.length;
const trainer = new GRPOTrainer({ model: FastLanguageModel.getPeftModel(model, { r: 4 }), processingClass: tokenizer, env: lamp, rewardFuncs, args });
await trainer.train();`;

/** Returns what the view was sent, with buffers. */
const sent = (): Array<{ message: TrainingMessage; buffers: Uint8Array[] }> =>
  kernel.iopub
    .filter(({ header, content }) => header.msg_type === 'comm_msg' && content.comm_id === VIEW)
    .map(({ content, buffers }) => ({ message: content.data, buffers }));

const say = (data: TrainingViewMessage) => kernel.send('shell', 'comm_msg', { comm_id: VIEW, data });

test('a view that looks on sees a group while it plays, before it is scored; one that does not gets no picture', async () => {
  await kernel.run(ENVIRONMENT);
  const training = kernel.send('shell', 'execute_request', { code: TRAINING, store_history: true });
  const shown = () => kernel.iopub.find(({ content }) => content.data?.[TRAINING_MIME]);
  await kernel.until(() => shown() !== undefined, 'the run is shown');
  const { runId } = shown()!.content.data[TRAINING_MIME];
  kernel.send('shell', 'comm_open', { comm_id: VIEW, target_name: TRAINING_COMM, data: { runId } });
  say({ type: 'live', tiles: 4 });
  say({ type: 'visible', visible: true });
  let answered = 0;
  const answer = (): boolean => {
    const messages = sent().slice(answered);
    answered += messages.length;
    for (const { message } of messages) if (message.type === 'live') say({ type: 'drawn' });
    return messages.some(({ message }) => message.type === 'group');
  };
  await kernel.until(answer, 'the first group');
  say({ type: 'live', tiles: 0 });
  say({ type: 'ack', step: 1 });
  const { reply } = await kernel.finish(training);
  assert.equal(reply.content.status, 'ok', reply.content.evalue);

  const all = sent();
  const steps = ({ message }: (typeof all)[number]) => ('step' in message ? message.step : 0);
  const types = (step: number) => all.filter((it) => steps(it) === step).map(({ message }) => message.type);
  const first = types(1).filter((type) => type !== 'event');
  assert.deepEqual([first[0], first.at(-1)], ['playing', 'group']);
  assert.ok(first.filter((type) => type === 'live').length > 2, `several while it plays: ${first}`);
  assert.deepEqual(
    types(2).filter((type) => type === 'playing' || type === 'live' || type === 'group'),
    ['playing', 'group'],
  );

  const seen = all.flatMap(({ message, buffers }) =>
    message.type === 'live' && message.tiles.some(({ picture }) => picture) ? [buffers[0]] : [],
  );
  assert.match(String(inflateSync(seen[0])), /<svg/, 'the class draws');
  const tiles = all.flatMap(({ message }) => (message.type === 'live' ? message.tiles : []));
  assert.ok(
    tiles.some(({ steps, end }) => steps > 0 && steps < 60 && end === undefined),
    'one is seen in mid-play',
  );
  assert.ok(
    tiles.every((tile) => tile.return === tile.steps),
    'with its running return',
  );
});
