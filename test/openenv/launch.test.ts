import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { openenv } from '../../kernel/environments';
import { buildRoot } from '../../kernel/common/packagePaths';
import { eventually } from '../eventually';
import { fakeTools, type FakeTools } from './fakeTools';
import { code } from './faultyServer';
import { TINY } from './tiny';

let root: string;
let tools: FakeTools;
const saved = { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR };

before(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'launch-'));
  tools = fakeTools(path.join(root, 'bin'), {
    'openenv.yaml': 'name: tiny\napp: server.main:app\n',
    'pyproject.toml': '',
    'server/main.py': TINY,
  });
  fs.mkdirSync(path.join(root, 'tmp'));
  Object.assign(process.env, { PATH: tools.path, TMPDIR: path.join(root, 'tmp') });
});
after(() => {
  Object.assign(process.env, saved);
  if (saved.TMPDIR === undefined) delete process.env.TMPDIR;
  fs.rmSync(root, { recursive: true, force: true });
});

const clones = (): string[] =>
  fs.readdirSync(path.join(root, 'tmp')).filter((name) => name.startsWith('joylab-space-'));
const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );
const exists = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('an image: its container starts with the variables, is played, and is gone with close()', async () => {
  const env = await openenv('tiny-env:latest', { envVars: { LEVEL: '3' } });
  assert.equal((await env.reset()).observation.level, '3');
  assert.equal((await env.step({})).reward, 1);
  const [container] = tools.containers();
  assert.ok(exists(container));
  assert.match(tools.calls().at(-1)!, /^docker run --rm --init --name joylab-\S+ .* --env LEVEL=3 tiny-env:latest$/);
  await env.close();
  assert.ok(!exists(container));
  assert.deepEqual(tools.containers(), []);
});

test('a container that is killed in mid-episode: an error, and resets at the same time start one other', async () => {
  const env = await openenv('org/tiny', { from: 'image', tag: 'v1' });
  assert.match(tools.calls().at(-1)!, / registry\.hf\.space\/org-tiny:v1$/);
  await env.reset();
  const runs = (): number => tools.calls().filter((call) => call.startsWith('docker run')).length;
  const before = runs();
  process.kill(tools.containers()[0], 'SIGKILL');
  await assert.rejects(
    async () => {
      for (;;) await env.step({});
    },
    code('CONNECTION_LOST', /The container of registry\.hf\.space\/org-tiny:v1 died/),
  );
  assert.deepEqual(
    (await Promise.all([env.reset(), env.reset(), env.reset()])).map(({ observation }) => observation.level),
    ['', '', ''],
  );
  assert.equal(runs(), before + 1);
  await env.close();
  assert.deepEqual(tools.containers(), []);
});

test('an image that is not there: what Docker says', async () => {
  await assert.rejects(
    openenv('missing:latest'),
    code('LAUNCH_FAILED', /The container of missing:latest died \(exit code 125\)[^]*pull access denied for missing/),
  );
});

test('a Space on this machine: cloned, run with uv, played, and gone with close()', async () => {
  const env = await openenv('org/tiny', { from: 'uv' });
  assert.equal((await env.reset()).observation.n, 1);
  assert.equal(clones().length, 1);
  const [git, uv] = tools.calls().slice(-2);
  assert.match(git, /^git clone --depth 1 https:\/\/\S+\/spaces\/org\/tiny \S+joylab-space-/);
  assert.match(
    uv,
    /^uv run --isolated --project \S+joylab-space-\S+ -- uvicorn server\.main:app --host 127\.0\.0\.1 --port \d+/,
  );
  const { url } = env;
  await env.close();
  assert.ok(!(await answers(url)));
  await eventually(() => clones().length === 0, 'the clone is removed');
});

test('a folder with a pyproject.toml is run with uv, which is there', async () => {
  const env = await openenv(path.join(root, 'bin', 'space'));
  assert.match(tools.calls().at(-1)!, /^uv run --isolated --project \S+space -- uvicorn/);
  assert.equal((await env.reset()).observation.n, 1);
  await env.close();
});

test('the program that opened them is killed: no container, server or clone is left', async () => {
  const script = `
    const { openenv } = require(${JSON.stringify(path.join(buildRoot, 'kernel'))});
    Promise.all([openenv('tiny-env:latest'), openenv('org/tiny', { from: 'uv' })]).then(([image, space]) => {
      console.log('at ' + JSON.stringify([image.url, space.url]));
      setInterval(() => {}, 1000);
    });`;
  const program = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  program.stdout.on('data', (part) => (said += part));
  await eventually(() => /^at .*$/m.test(said) || program.exitCode !== null, 'both are open');
  const urls: string[] = JSON.parse(/^at (.*)$/m.exec(said)![1]);
  for (const url of urls) assert.ok(await answers(url));
  const [container] = tools.containers();
  program.kill('SIGKILL');
  await eventually(() => !exists(container) && tools.containers().length === 0, 'the container is gone');
  await eventually(() => clones().length === 0, 'the clone is removed');
  for (const url of urls) await eventually(async () => !(await answers(url)), 'its server is gone');
});
