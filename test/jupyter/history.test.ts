import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { TestKernel } from './client';

let folder: string;
let file: string;
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-history-'));
  file = path.join(folder, 'new', 'history.jsonl');
});
after(() => fs.rmSync(folder, { recursive: true }));

type Entry = [session: number, line: number, source: string];

async function ask(kernel: TestKernel, content: object): Promise<Entry[]> {
  const reply = await kernel.request('shell', 'history_request', { output: false, raw: true, ...content });
  assert.equal(reply.content.status, 'ok');
  return reply.content.history;
}

/** Runs cells in a kernel of its own. */
async function session(
  cells: string[],
  then: (kernel: TestKernel) => Promise<void> = async () => {},
  historyFile = file,
): Promise<void> {
  const kernel = await TestKernel.start({}, { env: { JOYLAB_HISTORY: historyFile } });
  for (const cell of cells) await kernel.run(cell);
  await then(kernel);
  await kernel.stop();
}

test('a new kernel knows the inputs of those before it, as a console asks for them at its start', async () => {
  await session(['1 + 1', "'ünï 😀'\n// second line"]);
  await session([], async (kernel) => {
    assert.deepEqual(await ask(kernel, { hist_access_type: 'tail', n: 500 }), [
      [1, 1, '1 + 1'],
      [1, 2, "'ünï 😀'\n// second line"],
    ]);
    await kernel.run('3');
    await kernel.execute('hidden', { store_history: false });
    assert.deepEqual(await ask(kernel, { hist_access_type: 'tail', n: 2 }), [
      [1, 2, "'ünï 😀'\n// second line"],
      [2, 1, '3'],
    ]);
    assert.deepEqual(await ask(kernel, { hist_access_type: 'range', session: 0 }), [[0, 1, '3']]);
    assert.deepEqual(await ask(kernel, { hist_access_type: 'range', session: -1, start: 1, stop: 2 }), [
      [1, 1, '1 + 1'],
    ]);
    assert.deepEqual(await ask(kernel, { hist_access_type: 'range', session: 1, start: 2 }), [
      [1, 2, "'ünï 😀'\n// second line"],
    ]);
    assert.deepEqual(await ask(kernel, { hist_access_type: 'search', pattern: '*1*' }), [[1, 1, '1 + 1']]);
    await kernel.run('1 + 1');
    assert.deepEqual(await ask(kernel, { hist_access_type: 'search', pattern: '1 ? 1', unique: true }), [
      [2, 2, '1 + 1'],
    ]);
    assert.deepEqual(await ask(kernel, { hist_access_type: 'tail', n: 1, output: true }), [[2, 2, ['1 + 1', null]]]);
  });
  if (process.platform !== 'win32') assert.equal(fs.statSync(file).mode & 0o777, 0o600);
});

test('kernels that run at the same time keep their inputs apart', async () => {
  const shared = path.join(folder, 'shared.jsonl');
  await session(
    ["'first'"],
    async (first) => {
      await session(["'second'"], async () => void (await first.run("'third'")), shared);
      assert.deepEqual(await ask(first, { hist_access_type: 'tail', n: 9 }), [
        [1, 1, "'second'"],
        [2, 1, "'first'"],
        [2, 2, "'third'"],
      ]);
    },
    shared,
  );
});

test('a file that is broken, too large, or not to be had, stops nothing', async () => {
  const broken = path.join(folder, 'broken.jsonl');
  fs.writeFileSync(broken, `{"x": 1}\n["s", 1\n["s", 1, "kept"]\n`);
  await session(
    ['1'],
    async (kernel) =>
      assert.deepEqual(await ask(kernel, { hist_access_type: 'tail', n: 9 }), [
        [1, 1, 'kept'],
        [2, 1, '1'],
      ]),
    broken,
  );
  const large = path.join(folder, 'large.jsonl');
  fs.writeFileSync(large, `${JSON.stringify(['old', 1, 'x'.repeat(1000)])}\n`.repeat(5000));
  await session(
    ['1'],
    async (kernel) => assert.equal((await ask(kernel, { hist_access_type: 'tail' })).length, 2501),
    large,
  );
  for (const nowhere of ['', path.join(broken, 'below a file')]) {
    await session(
      ['1'],
      async (kernel) => assert.deepEqual(await ask(kernel, { hist_access_type: 'tail', n: 9 }), [[1, 1, '1']]),
      nowhere,
    );
  }
});
