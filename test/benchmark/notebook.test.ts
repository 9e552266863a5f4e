import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BENCHMARK_MIME } from '../../kernel/display/benchmarkMime';
import { TestKernel } from '../jupyter/client';
import { eventually } from '../eventually';

let kernel: TestKernel;

before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(`import { openenv, benchmark, leaderboard, chatModel } from 'joylab';
const env = await openenv('game2048');
const byHand = (state: { board: number[] }) => (state.board[0] === 0 ? 'UP' : 'LEFT');`);
});
after(() => kernel.stop());

const CELL = "await benchmark({ policies: { random: 'random', byHand }, environments: [env], seeds: 3, maxSteps: 30 })";
const shown = (messages: any[]) => messages.filter(({ content }) => content.data?.[BENCHMARK_MIME]);

test('a cell shows one benchmark, which grows as policies have played, and keeps a leaderboard beside the notebook', async () => {
  const { outputs, all, reply } = await kernel.execute(CELL);
  assert.equal(reply.content.status, 'ok', JSON.stringify(reply.content));
  const displays = shown(outputs).filter(({ header }) => header.msg_type === 'display_data');
  assert.equal(new Set(displays.map(({ content }) => content.transient.display_id)).size, 1);
  // Where a line of progress was taken away, what stays was published anew.
  const cleared = all.findLastIndex(({ header }) => header.msg_type === 'clear_output');
  assert.ok(shown(all.slice(cleared + 1)).filter(({ header }) => header.msg_type === 'display_data').length <= 1);
  const updates = shown(all).filter(({ header }) => header.msg_type === 'update_display_data');
  assert.ok(updates.length >= 2);
  const [last] = updates.slice(-1);
  assert.equal(last.content.transient.display_id, displays[0].content.transient.display_id);
  assert.equal(displays[0].content.data[BENCHMARK_MIME].groups[0].rows.length, 1);
  assert.equal(last.content.data[BENCHMARK_MIME].groups[0].rows.length, 2);
  assert.match(last.content.data['text/html'], /<table[^]*kept in leaderboard\.json/);
  assert.equal(JSON.parse(readFileSync(join(kernel.folder, 'leaderboard.json'), 'utf8')).entries.length, 2);
  assert.match(await kernel.run('leaderboard()'), /^2048: 3 starts, at most 30 steps\n/);
});

test('a result that is kept is shown where a later cell ends with it', async () => {
  await kernel.run(`const result = ${CELL};`);
  assert.match(await kernel.run('result'), /^2048: 3 starts/);
  assert.match(await kernel.run("result.compare('random', 'byHand').text"), /these 3 starts|is better than/);
});

test('an interrupt shows what has played, and says how to go on', { timeout: 120_000 }, async () => {
  const running = kernel.execute(
    "await benchmark({ policies: { random: 'random', slow: (state: unknown) => { const until = Date.now() + 50; while (Date.now() < until); return 'UP'; } }, environments: [env], seeds: 20, maxSteps: 31, strategyTimeLimit: 3600 })",
  );
  await eventually(
    () =>
      kernel.iopub.some(
        ({ content }) => content.data?.[BENCHMARK_MIME]?.groups[0]?.caption === '20 starts, at most 31 steps',
      ),
    'the first policy',
  );
  await kernel.request('control', 'interrupt_request');
  const { all, reply } = await running;
  assert.equal(reply.content.status, 'error');
  const [last] = shown(all).slice(-1);
  assert.match(
    last.content.data['text/plain'],
    /^2048: 20 starts[^]*random[^]*Interrupted\. What was played is kept in leaderboard\.json: run the cell again, and it goes on\.$/,
  );
  assert.equal(await kernel.run('1 + 1'), '2');
});

test('the cell knows the types: a misspelt option is an error before anything runs', async () => {
  const said = await kernel.fail(
    "await benchmark({ policies: { random: 'random' }, environments: [env], attemps: 3 })",
  );
  assert.match(said, /attemps/);
  assert.match(await kernel.fail("chatModel({ baseUrl: 'http://127.0.0.1:1/v1' })"), /model/);
  assert.ok(!existsSync(join(kernel.folder, 'none.json')));
});
