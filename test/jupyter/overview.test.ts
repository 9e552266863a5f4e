import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  OVERVIEW_COMM,
  type OverviewData,
  type OverviewMessage,
  type OverviewRequest,
} from '../../kernel/display/overview';
import { TestKernel } from './client';

/* The side panel's comm, as the extension uses it. */

let kernel: TestKernel;

before(async () => {
  kernel = await TestKernel.start();
  kernel.send('shell', 'comm_open', { comm_id: 'panel', target_name: OVERVIEW_COMM, data: {} });
});
after(() => kernel.stop());

function ask(data: OverviewRequest): void {
  kernel.send('shell', 'comm_msg', { comm_id: 'panel', data });
}

const messages = (): OverviewMessage[] =>
  kernel.iopub
    .filter(({ header, content }) => header.msg_type === 'comm_msg' && content.comm_id === 'panel')
    .map(({ content }) => content.data);

const newest = (): OverviewData | undefined => {
  const message = messages().findLast(({ type }) => type === 'data');
  return message?.type === 'data' ? message.data : undefined;
};

test('a panel gets what the notebook has once it is visible, and again when that changes', async () => {
  ask({ type: 'visible', visible: true });
  await kernel.until(() => newest() !== undefined, 'the first data');
  assert.deepEqual(newest(), { environments: [], rewards: null, runs: [] });
  await kernel.run(`import { openenv } from 'joylab';
const game = await openenv('game2048');
const same = game;`);
  await kernel.until(() => newest()!.environments.length > 0, 'the environment');
  const [{ variables, name, source, actions, sessions, returns }] = newest()!.environments;
  assert.deepEqual([variables, source, sessions], [['game', 'same'], 'game2048', { open: 1, busy: 0 }]);
  assert.deepEqual(
    returns.map((one) => one.mean),
    returns.map((one) => one.mean).sort((a, b) => a - b),
    'the lowest first',
  );
  assert.equal(typeof name, 'string');
  assert.equal(actions.length, 4);
  await kernel.run('/** @reward */\nfunction long({ completion }: Sample) { return completion.length; }');
  await kernel.until(() => newest()!.rewards !== null, 'the reward functions');
});

test('it is sent while a cell runs, and nothing is sent while the panel is hidden', async () => {
  const id = kernel.send('shell', 'execute_request', {
    code: "const second = await openenv('game2048');\nawait new Promise((resolve) => setTimeout(resolve, 6000));",
  });
  await kernel.until(() => newest()!.environments.length === 2, 'the second environment');
  assert.ok(!kernel.replies.some(({ parentHeader }) => parentHeader.msg_id === id));
  ask({ type: 'visible', visible: false });
  await kernel.finish(id);
  const before = messages().length;
  await kernel.run("const third = await openenv('game2048');");
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(messages().length, before);
  ask({ type: 'visible', visible: true });
  await kernel.until(() => newest()!.environments.length === 3, 'all environments');
});

test('an environment is closed; what is not there is refused in a sentence', async () => {
  ask({ type: 'close', variable: 'same' });
  await kernel.until(() => newest()!.environments[0].sessions === null, 'the end of its sessions');
  ask({ type: 'close', variable: 'nothing' });
  const refusal = () => messages().findLast(({ type }) => type === 'error');
  await kernel.until(() => refusal() !== undefined, 'the refusal');
  assert.deepEqual(refusal(), { type: 'error', text: 'The notebook has no environment nothing any more.' });
  ask({ type: 'control', runId: 'unknown', control: 'pause' });
  await kernel.until(
    () => JSON.stringify(refusal()).includes('run its cell to train again'),
    'the refusal of a control',
  );
});
