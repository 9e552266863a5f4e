import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { FastLanguageModel } from '../../../kernel/models';
import { findGguf } from '../../../kernel/models/gguf/find';
import { llamaPackage } from '../../../kernel/models/gguf/install';
import { HubServer } from '../hub/hubServer';

const folder = mkdtempSync(join(tmpdir(), 'joylab-find-'));
const server = new HubServer();
let endpoint = '';
const environment = { ...process.env };
before(async () => {
  endpoint = await server.start();
  const source = join(folder, 'source');
  mkdirSync(source);
  for (const name of ['small.gguf', 'large-00001-of-00002.gguf', 'large-00002-of-00002.gguf', 'README.md'])
    writeFileSync(join(source, name), name.repeat(100));
  server.repositories.set('joy/model-GGUF', { folder: source });
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  process.env = { ...environment, HF_HOME: mkdtempSync(join(folder, 'home-')), HF_ENDPOINT: endpoint };
  server.served.length = 0;
});

const fetched = () => server.served.map(({ path }) => path.split('/').at(-1)).sort();

test('of a model of the hub only the file that is named comes, once', async () => {
  const source = { modelName: 'joy/model-GGUF', ggufFile: 'small.gguf' };
  const path = (await findGguf(source))!;
  assert.equal(readFileSync(path, 'utf8'), 'small.gguf'.repeat(100));
  assert.deepEqual(fetched(), ['small.gguf']);
  assert.equal(await findGguf(source), path);
  assert.deepEqual(fetched(), ['small.gguf']);
  process.env.HF_HUB_OFFLINE = '1';
  assert.equal(await findGguf(source), path);
  await assert.rejects(
    findGguf({ ...source, ggufFile: 'large-00001-of-00002.gguf' }),
    /large-00001-of-00002\.gguf of joy\/model-GGUF is not complete in the cache .* HF_HUB_OFFLINE/,
  );
});

test('of a model in several files all come, and the first is opened', async () => {
  const path = await findGguf({ modelName: 'joy/model-GGUF', ggufFile: 'large-00002-of-00002.gguf' });
  assert.match(path!, /large-00001-of-00002\.gguf$/);
  assert.ok(existsSync(join(dirname(path!), 'large-00002-of-00002.gguf')));
  assert.deepEqual(fetched(), ['large-00001-of-00002.gguf', 'large-00002-of-00002.gguf']);
});

test('a name that the hub does not have is answered with those that it has', async () => {
  await assert.rejects(
    findGguf({ modelName: 'joy/model-GGUF', ggufFile: 'other.gguf' }),
    /joy\/model-GGUF has no file other\.gguf \(its GGUF files: .*small\.gguf/,
  );
  await assert.rejects(
    FastLanguageModel.fromPretrained({ modelName: 'joy/model-GGUF' }),
    /has no weights in the safetensors format .* or name one of its GGUF files by ggufFile/,
  );
  await assert.rejects(findGguf({ modelName: join(folder, 'none.gguf') }), /there is no file .*none\.gguf/);
});

test('where llama.cpp cannot be installed, an error says what to run, and nothing is left', async () => {
  const cache = join(folder, 'cache');
  Object.assign(process.env, {
    JOYLAB_CACHE: cache,
    JOYLAB_LLAMA_CPP: '',
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_fetch_retries: '0',
    npm_config_cache: join(folder, 'npm'),
  });
  await assert.rejects(
    llamaPackage(),
    /could not be installed \(npm: .*ECONNREFUSED.*run `joylab gguf install`.*JOYLAB_LLAMA_CPP/s,
  );
  assert.deepEqual(readdirSync(cache), []);
  process.env.JOYLAB_LLAMA_CPP = folder;
  await assert.rejects(llamaPackage(), /JOYLAB_LLAMA_CPP is .*, where there is no package node-llama-cpp/);
});
