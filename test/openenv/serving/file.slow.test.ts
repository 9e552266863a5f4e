import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { openenv } from '../../../kernel';
import { buildRoot, packageRoot } from '../../../kernel/common/packagePaths';
import { openenvCommand } from '../../environments/python';

const CLI = join(buildRoot, 'kernel', 'cli.js');
const folder = mkdtempSync(join(tmpdir(), 'joylab-serve-'));
after(() => rmSync(folder, { recursive: true }));

const COUNT = `import { Environment } from 'joylab';
import { goal } from './goal';

export type Move = {
  /** How far.
   * @integer
   * @minimum 1 */
  by: number;
  note?: string | null;
};

/** Counts up to a goal. */
export class CountUp extends Environment<Move, { count: number }> {
  count = 0;
  reset() { this.count = 0; return { observation: { count: this.random.int(0, 3) * 0 } }; }
  step({ by }: Move) { this.count += by; return { observation: { count: this.count }, reward: by, done: this.count >= goal }; }
}
`;

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

write('goal.ts', 'export const goal: number = 10;\n');
const count = write('count.ts', COUNT);
const two = write('two.ts', `${COUNT}\nexport class CountTwice extends CountUp {}\n`);

/** What the command prints when it fails. */
async function failure(...args: string[]): Promise<string> {
  const error = await promisify(execFile)(process.execPath, [CLI, 'serve', ...args], { timeout: 300_000 }).then(
    () => assert.fail('it did not fail'),
    (it) => it,
  );
  return error.stderr;
}

/** Starts a server; gives its address once it says so. */
async function start(
  t: TestContext,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ url: string; stop(): Promise<number | null> }> {
  const child = spawn(process.execPath, args, {
    ...options,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (part) => {
      const found = /is served at (http\S+)\n/.exec((text += part));
      if (found) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { url, stop: () => (child.kill('SIGTERM'), ended) };
}

async function play(url: string): Promise<void> {
  const env = await openenv(url);
  await env.reset({ seed: 1 });
  assert.deepEqual(await env.step({ by: 10, note: null }), { observation: { count: 10 }, reward: 10, done: true });
  await assert.rejects(env.step({ by: 0.5 }), /by: Input should be a valid integer/);
  assert.deepEqual(await env.metadata(), { name: 'CountUp', description: 'Counts up to a goal.' });
  await env.close();
}

test('joylab serve FILE: schema from its types, files that it imports, a clean end', async (t) => {
  const server = await start(t, [CLI, 'serve', count, '--port', '0', '--capacity', '1']);
  await play(server.url);
  const env = await openenv(server.url);
  await assert.rejects(openenv(server.url, { capacityTimeout: 0 }), /1 of 1 sessions in use/);
  await env.close();
  assert.equal(await server.stop(), 0);
});

test('several classes: chosen by name', async (t) => {
  assert.match(
    await failure(two),
    /exports several environments\. Choose one with --environment: CountUp, CountTwice\./,
  );
  assert.match(
    await failure(two, '--environment', 'Nothing'),
    /exports no environment Nothing\. Valid: CountUp, CountTwice\./,
  );
  const server = await start(t, [CLI, 'serve', two, '--port', '0', '--environment', 'CountTwice']);
  assert.equal(((await (await fetch(`${server.url}/metadata`)).json()) as any).name, 'CountTwice');
});

test('what is wrong with a file is said', async () => {
  assert.match(await failure(join(folder, 'nowhere.ts')), /There is no file .*nowhere\.ts/);
  assert.match(await failure(join(folder, 'goal.ts')), /exports no environment\. Write: export class/);
  assert.match(
    await failure(write('wrong.ts', COUNT.replace('this.count += by;', 'this.count += bye;'))),
    /wrong\.ts has type errors:\n.*error TS\d+: Cannot find name 'bye'/,
  );
  assert.match(await failure(count, '--port', 'high'), /--port high is not a whole number/);
});

test('--export writes a folder that runs from a clean copy, and that openenv validate accepts', async (t) => {
  const target = join(folder, 'space');
  await promisify(execFile)(process.execPath, [CLI, 'serve', count, '--export', target], { timeout: 300_000 });
  assert.deepEqual(readdirSync(target).sort(), [
    'Dockerfile',
    'README.md',
    'openenv.yaml',
    'package.json',
    'server.js',
  ]);
  assert.match(await failure(count, '--export', target), /is not empty/);
  const checked = await openenvCommand('validate', target, '--level', 'static', '--skip-build');
  assert.equal(checked.code, 0, checked.output);
  const copy = mkdtempSync(join(tmpdir(), 'joylab-space-'));
  t.after(() => rmSync(copy, { recursive: true }));
  mkdirSync(join(copy, 'app'));
  cpSync(target, join(copy, 'app'), { recursive: true });
  const server = await start(t, ['server.js'], {
    cwd: join(copy, 'app'),
    env: { PORT: '0', HOST: '127.0.0.1', NODE_PATH: '' },
  });
  await play(server.url);
  const running = await openenvCommand('validate', '--url', server.url);
  assert.equal(running.code, 0, running.output);
  assert.equal(await server.stop(), 0);

  const env = await openenv(join(copy, 'app'));
  assert.equal((await env.reset({ seed: 1 })).done, false);
  await env.close();
});

test('the class of a notebook is served and exported as it is saved, with what it names', async (t) => {
  const cells = [
    'const unused = await fetch("http://nowhere.invalid");',
    "import { goal } from './goal';\nconst by = (n: number) => n;",
    '/** Counts to ten.\n * @openenv client=counter */\nclass Counter extends Environment<{ by: 1 | 2 }, { count: number }> {\n  count = 0;\n  reset() { this.count = 0; return { observation: { count: 0 } }; }\n  step({ by: n }) { this.count += by(n); return { observation: { count: this.count }, done: this.count >= goal }; }\n}',
    'await counter.reset();',
  ].map((source) => ({ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null }));
  const notebook = write('counter.ipynb', JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
  const { url, stop } = await start(t, [CLI, 'serve', notebook, '--port', '0']);
  const env = await openenv(url);
  assert.deepEqual([env.name, env.description], ['Counter', 'Counts to ten.']);
  await env.reset();
  assert.equal((await env.step({ by: 2 })).observation.count, 2);
  await assert.rejects(env.step({ by: 3 }), /by: Input should be 1 or 2/);
  await env.close();
  assert.equal(await stop(), 0);
  const space = join(folder, 'counter-space');
  await promisify(execFile)(process.execPath, [CLI, 'serve', notebook, '--export', space]);
  const exported = await openenv(space);
  await exported.reset();
  assert.equal((await exported.step({ by: 1 })).observation.count, 1);
  await exported.close();
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('.counter')),
    [],
    'nothing is left beside it',
  );
  assert.match(await failure(notebook, '--environment', 'Other'), /has no environment Other\. Valid: Counter/);
});

test('the notebook of OpenEnv exports its hedgehog as it says', async () => {
  const space = join(folder, 'hedgehog-space');
  const notebook = join(packageRoot, 'notebooks', 'openenv.ipynb');
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'serve', notebook, '--export', space]);
  const told = readFileSync(notebook, 'utf8');
  for (const file of stdout.trim().split('\n')) assert.ok(told.includes(`hedgehog-space/${basename(file)}\\n`), file);
  const env = await openenv(space);
  assert.equal((await env.reset({ seed: 5 })).observation.daylight, 30);
  await env.close();
});
