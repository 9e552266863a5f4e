/** What a kernel keeps for the next ones makes them faster, and cannot break them. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { eventually } from '../eventually';
import { TestKernel } from './client';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-cache-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const CELL = "import { basename } from 'node:path';\nbasename('a/b') + typeof process.version";

async function result(cache: string): Promise<string> {
  const kernel = await TestKernel.start({}, { env: { JOYLAB_CACHE: cache } });
  try {
    return await kernel.run(CELL);
  } finally {
    await kernel.stop();
  }
}

function kept(cache: string): string[] {
  if (!fs.existsSync(cache)) return [];
  return fs
    .readdirSync(cache, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => path.join(it.parentPath, it.name));
}

test('a kernel keeps compiled code and an index of declarations; the next one makes nothing anew', async () => {
  const cache = path.join(folder, 'kept');
  const kernel = await TestKernel.start({}, { env: { JOYLAB_CACHE: cache } });
  assert.equal(await kernel.run(CELL), "'bstring'");
  const kinds = () =>
    kept(cache)
      .map((file) => path.basename(path.dirname(file)))
      .sort()
      .join();
  await eventually(() => kinds() === 'code,declarations', kinds);
  await kernel.stop();
  const before = kept(cache).map((file) => fs.statSync(file).ino);
  assert.equal(await result(cache), "'bstring'");
  assert.deepEqual(
    kept(cache).map((file) => fs.statSync(file).ino),
    before,
  );
});

test('what is kept and broken is not used', async () => {
  const cache = path.join(folder, 'kept');
  for (const file of kept(cache)) {
    const bytes = fs.readFileSync(file);
    bytes.fill(7, bytes.length >> 1);
    fs.writeFileSync(file, bytes);
  }
  assert.equal(await result(cache), "'bstring'");
  for (const file of kept(cache)) fs.writeFileSync(file, '');
  assert.equal(await result(cache), "'bstring'");
});

test('a folder that cannot be written, or none at all, is no obstacle', async () => {
  const file = path.join(folder, 'file');
  fs.writeFileSync(file, '');
  assert.equal(await result(file), "'bstring'");
  assert.equal(await result(''), "'bstring'");
  assert.equal(fs.statSync(file).size, 0);
});
