import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import test, { after } from 'node:test';
import { BoundedThread } from '../../kernel/common/threads/boundedThread';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-bounded-'));
after(() => fs.rmSync(folder, { recursive: true }));
const file = path.join(folder, 'work.js');
fs.writeFileSync(
  file,
  `
  const { serveRequests } = require(${JSON.stringify(require.resolve('../../kernel/common/threads/boundedThread'))});
  let calls = 0;
  serveRequests((request) => {
    calls++;
    if (request === 'loop') for (;;);
    if (request === 'pattern') return /^(a+)+$/.test('a'.repeat(40) + '!');
    if (request === 'memory') { const all = []; for (;;) all.push(new Array(1000).fill(calls)); }
    if (request === 'throw') throw new RangeError('out of range');
    if (request === 'exit') process.exit(0);
    return { request, calls };
  });
`,
);

const thread = new BoundedThread<string, { request: string; calls: number }>(file, { seconds: 0.3, memory: 64 });
after(() => thread.dispose());

for (const [kind, ask] of [
  ['sleeping', async (request: string) => thread.call(request)],
  ['without blocking', (request: string) => thread.callAsync(request)],
] as const) {
  test(`${kind}: answers come from one thread, errors are thrown as copies`, async () => {
    thread.dispose();
    assert.deepEqual(await ask('a'), { request: 'a', calls: 1 });
    await assert.rejects(ask('throw'), { name: 'RangeError', message: 'out of range' });
    assert.deepEqual(await ask('b'), { request: 'b', calls: 3 });
  });

  test(`${kind}: what takes too long or too much memory ends with its thread, and the next request has a new one`, async () => {
    for (const request of ['loop', 'pattern'])
      await assert.rejects(ask(request), {
        name: 'ThreadLimitError',
        reason: 'timeout',
        message: 'it took more than 0.3 s',
      });
    for (const request of ['memory', 'exit'])
      await assert.rejects(ask(request), { name: 'ThreadLimitError', reason: 'memory' });
    assert.deepEqual(await ask('a'), { request: 'a', calls: 1 });
  });
}

test('requests that do not block wait for one another; one that sleeps does not wait for them', async () => {
  thread.dispose();
  const asked = [thread.callAsync('a'), thread.callAsync('b')];
  assert.equal(thread.call('c').request, 'c');
  assert.deepEqual(
    (await Promise.all(asked)).map(({ request }) => request),
    ['a', 'b'],
  );
});
