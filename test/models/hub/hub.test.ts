import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cellContext, setCellContext, type DisplayOptions, type MimeBundle } from '../../../kernel/display/cellContext';
import { FastLanguageModel, type Tokenizer } from '../../../kernel/models';
import { readSafetensors, writeSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { buildRoot, packageRoot, pythonPath } from '../../../kernel/common/packagePaths';
import { HubServer } from './hubServer';
import { maxDifference } from '../pythonPeer';

const folder = mkdtempSync(join(tmpdir(), 'joylab-hub-'));
const bundled = join(packageRoot, 'kernel/models/strategist/checkpoint');
const weights = 'model.safetensors';
const size = statSync(join(bundled, weights)).size;
const server = new HubServer();
let endpoint = '';
before(async () => {
  endpoint = await server.start();
  const sharded = join(folder, 'sharded');
  cpSync(bundled, sharded, { recursive: true });
  writeFileSync(join(sharded, 'README.md'), 'not needed');
  const tensors = [...readSafetensors(join(sharded, weights))];
  const map: Record<string, string> = {};
  for (const [part, file] of ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'].entries()) {
    const own = tensors.filter((_, i) => i % 2 === part);
    writeSafetensors(join(sharded, file), new Map(own), 'float16');
    for (const [name] of own) map[name] = file;
  }
  rmSync(join(sharded, weights));
  writeFileSync(join(sharded, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
  server.repositories.set('joy/single', { folder: bundled });
  server.repositories.set('joy/sharded', { folder: sharded, revisions: { main: 'b'.repeat(40), v2: 'c'.repeat(40) } });
  server.repositories.set('joy/gated', { folder: bundled, token: 'hf_right' });
  mkdirSync(join(folder, 'pickled'));
  writeFileSync(join(folder, 'pickled/config.json'), '{}');
  writeFileSync(join(folder, 'pickled/pytorch_model.bin'), '');
  server.repositories.set('joy/pickled', { folder: join(folder, 'pickled') });
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const environment = { ...process.env };
let home = '';
beforeEach(() => {
  home = mkdtempSync(join(folder, 'home-'));
  for (const name of Object.keys(process.env)) if (/^(HF|HUGGING|TRANSFORMERS)_/.test(name)) delete process.env[name];
  Object.assign(process.env, { HF_HOME: home, HF_ENDPOINT: endpoint });
  server.served.length = 0;
  server.trouble.clear();
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
});

const load = (modelName: string, options: object = {}) => FastLanguageModel.fromPretrained({ modelName, ...options });

/** Runs Python's client with a home of its own. */
async function python(home: string, args: string[], settings: object = {}): Promise<string> {
  const env = { ...process.env, HF_HOME: home, HF_HUB_DISABLE_TELEMETRY: '1', OMP_NUM_THREADS: '1', ...settings };
  const { stdout } = await promisify(execFile)(
    pythonPath(),
    [join(packageRoot, 'test/models/hub/hub_peer.py'), ...args],
    {
      env,
    },
  );
  return stdout.trim();
}

/** Every file and link of the shared parts of a model's cache, by its path: where links lead, what references say. */
function layout(home: string, model: string): Record<string, string> {
  const root = join(home, 'hub', model);
  const found: Record<string, string> = {};
  for (const part of ['blobs', 'refs', 'snapshots']) {
    for (const path of readdirSync(join(root, part), { recursive: true }) as string[]) {
      const file = join(root, part, path);
      const kind = lstatSync(file);
      if (kind.isDirectory()) continue;
      found[join(part, path)] = kind.isSymbolicLink()
        ? readlinkSync(file)
        : part === 'refs'
          ? readFileSync(file, 'utf8')
          : String(kind.size);
    }
  }
  return found;
}

test('the cache is that of the Python client, and each loads offline what the other downloaded', async () => {
  const theirs = join(home, 'python');
  await python(theirs, ['download', 'joy/sharded', 'v2']);
  const { model } = await load('joy/sharded', { revision: 'v2' });
  assert.deepEqual(layout(home, 'models--joy--sharded'), layout(theirs, 'models--joy--sharded'));
  assert.equal(
    server.served.some(({ path }) => path === 'README.md'),
    false,
  );

  await load('joy/single');
  const peer = JSON.parse(await python(home, ['logits', 'joy/single'], { HF_HUB_OFFLINE: '1' })) as {
    ids: number[];
    logits: number[];
  };
  Object.assign(process.env, { HF_HOME: theirs, HF_HUB_OFFLINE: '1' });
  const before = server.requests;
  const offline = (await load('joy/sharded', { revision: 'v2' })).model;
  assert.equal(server.requests, before);
  for (const one of [model, offline]) {
    const [logits] = await one.logits([peer.ids]);
    assert.ok(maxDifference(logits.slice(-peer.logits.length), peer.logits) <= 1e-4);
  }
});

test('a model in the cache is asked for once, and loads without a network, too', async () => {
  await load('joy/single');
  server.requests = 0;
  server.served.length = 0;
  await load('joy/single');
  assert.deepEqual([server.requests, server.served.length], [1, 0]);
  await load('joy/single', { revision: 'a'.repeat(40) });
  assert.equal(server.requests, 1);
  process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
  await load('joy/single');
  process.env.HF_HUB_CACHE = join(home, 'elsewhere');
  await assert.rejects(
    load('joy/single'),
    /joy\/single is not complete in the cache .*127\.0\.0\.1:9 cannot be reached .*HF_ENDPOINT/s,
  );
  process.env.HF_HUB_OFFLINE = '1';
  await assert.rejects(load('joy/single'), /there is no model "joy\/single".*HF_HUB_OFFLINE/s);
});

test('what another client left out is fetched; without a network it is said', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const root = join(home, 'hub/models--joy--single');
  const commit = 'a'.repeat(40);
  const chat = (tokenizer: Tokenizer) => [tokenizer.eosToken, tokenizer.chatTemplate];
  const whole = (await load('joy/single')).tokenizer;
  /** As if a client had downloaded weights and vocabulary alone. */
  const leaveOut = () => {
    rmSync(join(root, '.no_exist'), { recursive: true, force: true });
    for (const name of ['tokenizer_config.json', 'special_tokens_map.json', 'generation_config.json']) {
      const file = join(root, 'snapshots', commit, name);
      rmSync(join(root, 'snapshots', commit, readlinkSync(file)));
      rmSync(file);
    }
    server.served.length = 0;
  };
  for (const options of [{}, { revision: commit }]) {
    leaveOut();
    process.env.HF_HUB_OFFLINE = '1';
    assert.notDeepEqual(chat((await load('joy/single', options)).tokenizer), chat(whole));
    assert.match(
      warn.mock.calls.at(-1)!.arguments[0],
      /joy\/single: the cache has no tokenizer_config\.json .*HF_HUB_OFFLINE/s,
    );
    delete process.env.HF_HUB_OFFLINE;
    const calls = warn.mock.callCount();
    assert.deepEqual(chat((await load('joy/single', options)).tokenizer), chat(whole));
    assert.deepEqual(
      server.served.map(({ path }) => path),
      ['generation_config.json', 'tokenizer_config.json', 'special_tokens_map.json'],
    );
    server.requests = 0;
    await load('joy/single', { revision: commit });
    assert.equal(server.requests, 0);
    assert.equal(warn.mock.callCount(), calls);
  }
});

test('a file that a model does not have is asked for once', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const bare = join(folder, 'bare');
  cpSync(bundled, bare, { recursive: true });
  rmSync(join(bare, 'tokenizer_config.json'));
  server.repositories.set('joy/bare', { folder: bare });
  await load('joy/bare');
  // The mark is that of the Python client.
  assert.ok(existsSync(join(home, 'hub/models--joy--bare/.no_exist', 'a'.repeat(40), 'tokenizer_config.json')));
  process.env.HF_HUB_OFFLINE = '1';
  await load('joy/bare');
  assert.equal(warn.mock.callCount(), 0);
});

test('a download that was killed goes on where it ended', async () => {
  server.trouble.set(weights, { stalled: 1 });
  const script = `require(${JSON.stringify(join(buildRoot, 'kernel/models'))}).FastLanguageModel.fromPretrained({ modelName: 'joy/single' })`;
  // With time: the download stands still until the kill.
  const child = spawn(process.execPath, ['-e', script], {
    stdio: 'ignore',
    env: { ...process.env, HF_HUB_DOWNLOAD_TIMEOUT: '600' },
  });
  const blobs = join(home, 'hub/models--joy--single/blobs');
  const partial = () =>
    (existsSync(blobs) ? readdirSync(blobs) : [])
      .filter((name) => name.endsWith('.incomplete'))
      // A small file may be whole by now, and have its final name.
      .flatMap((name) => statSync(join(blobs, name), { throwIfNoEntry: false })?.size ?? []);
  const isOnlyWeights = () => partial().length === 1 && partial()[0] >= 1_000_000;
  while (!isOnlyWeights()) {
    assert.equal(child.exitCode, null);
    await setTimeout(5);
  }
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const [there] = partial();
  assert.ok(there < size);
  server.trouble.clear();
  server.served.length = 0;
  await load('joy/single');
  assert.deepEqual(server.served, [{ path: weights, range: `bytes=${there}-${size - 1}` }]);
});

test('broken connections are taken up again; damage is found and repaired, or said', async () => {
  server.trouble.set(weights, { cutAfter: 1_500_000 });
  await load('joy/single');
  assert.ok(server.served.filter(({ path }) => path === weights).length > 3);

  process.env.HF_HOME = join(home, 'stalled');
  process.env.HF_HUB_DOWNLOAD_TIMEOUT = '2';
  server.trouble.set(weights, { stalled: 2 });
  await load('joy/single');

  process.env.HF_HOME = join(home, 'damaged');
  server.trouble.set(weights, { damaged: 1 });
  await load('joy/single');

  process.env.HF_HOME = join(home, 'very damaged');
  server.trouble.set(weights, { damaged: 2 });
  await assert.rejects(load('joy/single'), /model\.safetensors was damaged on its way twice/);
  assert.equal(
    existsSync(join(home, 'very damaged/hub/models--joy--single/snapshots', 'a'.repeat(40), weights)),
    false,
  );
});

test('what the hub refuses is an error that says what to do', async () => {
  await assert.rejects(
    load('joy/nothing'),
    /there is no model "joy\/nothing" at .*check its name; if it is private, set HF_TOKEN/s,
  );
  await assert.rejects(load('joy/single', { revision: 'v9' }), /joy\/single has no such revision/);
  await assert.rejects(
    load('joy/pickled'),
    /no weights in the safetensors format \(its files: config\.json, pytorch_model\.bin\)/,
  );
  await assert.rejects(load('joy/gated'), /joy\/gated is gated: ask for access at .*then set HF_TOKEN/);
  process.env.HF_TOKEN = 'hf_wrong';
  await assert.rejects(load('joy/gated'), /joy\/gated is gated, and your token has no access/);
  await load('joy/gated', { token: 'hf_right' });
  rmSync(join(home, 'hub'), { recursive: true });
  delete process.env.HF_TOKEN;
  writeFileSync(join(home, 'token'), 'hf_right\n');
  await load('joy/gated');
});

test('the notebook shows a bar; an interrupt ends the download, which goes on later', async () => {
  const before = cellContext();
  const shown: { bundle: MimeBundle; options: DisplayOptions }[] = [];
  const interrupt = new AbortController();
  setCellContext({
    signal: interrupt.signal,
    registerCommTarget: () => {},
    display: (bundle, options = {}) => void shown.push({ bundle, options }),
  });
  try {
    server.trouble.set(weights, { slow: 100_000 });
    const loading = load('joy/single');
    let over = false;
    loading.then(
      () => (over = true),
      () => (over = true),
    );
    while (shown.length < 2 && !over) await setTimeout(5);
    assert.equal(over, false, 'the download is under way');
    interrupt.abort(new Error('interrupted by the user'));
    await assert.rejects(loading, /interrupted by the user/);
  } finally {
    setCellContext(before);
  }
  assert.match(
    String(shown[1].bundle['text/html']),
    /<progress value="\d+" max="\d+".*downloading joy\/single: .* of [\d.]+ MB/,
  );
  assert.equal(new Set(shown.map(({ options }) => options.displayId)).size, 1);
  assert.deepEqual(
    shown.map(({ options }) => options.update),
    shown.map((_, i) => i > 0),
  );
  assert.match(String(shown.at(-1)!.bundle['text/plain']), /interrupted; the next attempt goes on from here/);
  server.trouble.clear();
  server.served.length = 0;
  await load('joy/single');
  assert.match(server.served.at(-1)!.range!, /^bytes=[1-9]/);
});
