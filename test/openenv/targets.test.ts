import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { openenv } from '../../kernel/environments';
import { dockerRun } from '../../kernel/openenv/launch/image';
import { spaceImage, spaceSubdomain, wakeSpace } from '../../kernel/openenv/launch/space';
import { readTarget } from '../../kernel/openenv/launch/target';
import { eventually } from '../eventually';
import { TINY } from './tiny';
import { code } from './faultyServer';

let root: string;

before(() => (root = fs.mkdtempSync(path.join(os.tmpdir(), 'targets-'))));
after(() => fs.rmSync(root, { recursive: true, force: true }));

function folder(name: string, files: Record<string, string>): string {
  const made = path.join(root, name);
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(made, file)), { recursive: true });
    fs.writeFileSync(path.join(made, file), text);
  }
  return made;
}

const tiny = (): string =>
  folder('tiny', { 'openenv.yaml': 'name: tiny\napp: server.main:app\nport: 8000\n', 'server/main.py': TINY });
const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );

/** Processes that have the port of a server among their arguments. */
function processes(url: string): number[] {
  try {
    return execFileSync('pgrep', ['-f', `port.{1,3}${new URL(url).port}`])
      .toString()
      .trim()
      .split('\n')
      .map(Number);
  } catch {
    return [];
  }
}

test('a folder: its server starts, is played, and stops with close()', async () => {
  const env = await openenv(tiny(), { from: 'python' });
  assert.match(env.environment, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(String((await env.card())['text/plain']), /tiny/);
  assert.equal(await env.health(), 'healthy');
  await env.reset();
  assert.equal((await env.step({ any: 1 })).observation.n, 1);
  assert.ok(processes(env.url).length > 0);
  const { url } = env;
  await env.close();
  assert.deepEqual(processes(url), []);
  await assert.rejects(env.reset(), code('CLOSED'));
});

test('its server is killed in mid-episode: an error that says so, and reset starts it again', async () => {
  const env = await openenv(tiny(), { from: 'python' });
  await env.reset();
  const { url } = env;
  for (const pid of processes(url)) process.kill(pid, 'SIGKILL');
  await assert.rejects(
    async () => {
      for (;;) await env.step({ any: 1 });
    },
    code('CONNECTION_LOST', /The environment .*tiny died \(signal SIGKILL\)[^]*reset\(\) starts a new session/),
  );
  assert.equal((await env.reset()).observation.n, 1);
  assert.notEqual(env.url, url);
  await env.close();
});

test('no server outlives the program that opened it, however that ends', async () => {
  tiny();
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const program = spawn(process.execPath, [path.join(__dirname, 'open_and_wait.js'), path.join(root, 'tiny')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve) =>
      program.stdout.on(
        'data',
        (chunk) => /^http\S+$/m.test(String(chunk)) && resolve(/^http\S+$/m.exec(String(chunk))![0]),
      ),
    );
    assert.ok(await answers(url));
    program.kill(signal);
    await eventually(() => processes(url).length === 0, `no process is left after ${signal}`);
    assert.ok(!(await answers(url)));
  }
});

test('a server that does not start: its log, and what to do', async () => {
  const manifest = { 'openenv.yaml': 'app: main:app\n' };
  const crashing = folder('crashing', { ...manifest, 'main.py': 'raise ValueError("the level file is missing")\n' });
  await assert.rejects(
    openenv(crashing, { from: 'python' }),
    code(
      'LAUNCH_FAILED',
      /The environment \S+crashing died \(exit code 1\)\. Its last words:[^]*ValueError: the level file is missing/,
    ),
  );
  const lacking = folder('lacking', { ...manifest, 'main.py': 'import no_such_package\n' });
  await assert.rejects(
    openenv(lacking, { from: 'python' }),
    code('LAUNCH_FAILED', /finds no module 'no_such_package'.*pyproject\.toml.*install uv/),
  );
  const sleeping = folder('sleeping', {
    ...manifest,
    'main.py': 'import time\nprint("loading", flush=True)\ntime.sleep(60)\n',
  });
  await assert.rejects(
    openenv(sleeping, { from: 'python', startTimeout: 2000 }),
    code('LAUNCH_FAILED', /was not healthy within 2 s\. Nobody answers at/),
  );
  await assert.rejects(
    openenv(folder('empty', { 'README.md': '' })),
    code('LAUNCH_FAILED', /is no environment: it has no openenv\.yaml/),
  );
  await assert.rejects(
    openenv(folder('wrong', { 'openenv.yaml': 'app: server/app.py\n' })),
    code('LAUNCH_FAILED', /names 'server\/app\.py' as its app: it has to be "module:name"/),
  );
  await assert.rejects(
    openenv(folder('broken', { 'openenv.yaml': 'app: [\n' })),
    code('LAUNCH_FAILED', /openenv\.yaml could not be read/),
  );
  await assert.rejects(openenv('./no-such-folder'), code('LAUNCH_FAILED', /has no openenv\.yaml/));
});

test('what a target is, by its form', () => {
  const kinds: Record<string, string | undefined> = {
    'http://localhost:8000': 'url',
    'wss://org-space.hf.space/ws': 'url',
    'localhost:8000': 'url',
    '10.0.0.1:80': 'url',
    'openenv/echo_env': 'space',
    'echo-env:latest': 'image',
    'ghcr.io/org/echo-env:1.2': 'image',
    'localhost:5000/echo:dev': 'image',
    './echo': 'folder',
    '/opt/echo': 'folder',
    '~/echo': 'folder',
    '..': 'folder',
    breakout: undefined,
    'echo env': undefined,
    '': undefined,
  };
  for (const [text, kind] of Object.entries(kinds)) assert.equal(readTarget(text)?.kind, kind, text);
  assert.equal(
    readTarget(path.relative(process.cwd(), tiny()).replace(/^\.\//, ''))?.kind,
    'folder',
    'an existing environment is no Space',
  );
});

test('wrong targets and options name the valid ones', async () => {
  await assert.rejects(
    openenv('atri'),
    code(
      'INVALID_ARGUMENT',
      /no environment 'atri'\. Valid are: 'atari', 'game2048'; the address of an OpenEnv server.*Docker image with its tag/,
    ),
  );
  await assert.rejects(
    openenv('http://localhost:1', { game: 'pong' } as any),
    code('INVALID_ARGUMENT', /no option 'game' for a server's address\. The options are: /),
  );
  await assert.rejects(
    openenv('org/space', { from: 'docker' as any }),
    code('INVALID_ARGUMENT', /from is 'docker'\. For a space it may be: 'url', 'image', 'uv'/),
  );
  await assert.rejects(
    openenv('http://localhost:1', { messageTimeout: '5' as any }),
    code('INVALID_ARGUMENT', /messageTimeout is 5: it has to be a number ≥ 0, in milliseconds/),
  );
});

test('Docker, git and uv are not there: what to do', async () => {
  const { PATH } = process.env;
  process.env.PATH = root;
  try {
    await assert.rejects(
      openenv('echo-env:latest'),
      code('LAUNCH_FAILED', /Docker is not available, and 'echo-env:latest' is a Docker image\. Install/),
    );
    await assert.rejects(
      openenv('org/space', { from: 'image' }),
      code('LAUNCH_FAILED', /'registry\.hf\.space\/org-space:latest' is a Docker image/),
    );
    await assert.rejects(
      openenv('org/space', { from: 'uv' }),
      code('LAUNCH_FAILED', /git is not installed: it is needed to run the Space 'org\/space'/),
    );
    await assert.rejects(openenv(tiny(), { from: 'uv' }), code('LAUNCH_FAILED', /uv is not installed: https:/));
  } finally {
    process.env.PATH = PATH;
  }
});

test('the command for a Docker image', () => {
  assert.equal(
    dockerRun('echo-env:latest', 'joylab-1', 4321, { MAX_CONCURRENT_ENVS: '4' }).join(' '),
    'run --rm --init --name joylab-1 --label joylab --publish 127.0.0.1:4321:8000 --env MAX_CONCURRENT_ENVS=4 echo-env:latest',
  );
});

test('a Space: its names, waking up, and not being there', async () => {
  assert.equal(spaceSubdomain('OpenEnv/echo_env'), 'openenv-echo-env');
  assert.equal(spaceImage('OpenEnv/echo_env'), 'registry.hf.space/openenv-echo-env:latest');
  const replies = [503, 503, 200];
  const said: string[] = [];
  const server = createServer((_, response) => response.writeHead(replies.shift() ?? 404).end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  assert.equal(await wakeSpace('org/space', {}, { onProgress: (line) => said.push(line) }, url), url);
  assert.deepEqual(said, ['the Space is waking up', 'the Space is waking up']);
  await assert.rejects(
    wakeSpace('org/space', {}, {}, url),
    code(
      'LAUNCH_FAILED',
      /There is no Space 'org\/space' that serves OpenEnv at \S+, or it is private: then give \{ headers/,
    ),
  );
  replies.push(...Array(100).fill(503));
  await assert.rejects(
    wakeSpace('org/space', { startTimeout: 150 }, {}, url),
    code('LAUNCH_FAILED', /was not healthy within 0\.15 s.*Its page tells why/),
  );
  server.close();
});
