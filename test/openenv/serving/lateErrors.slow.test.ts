import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { OpenEnvClient } from '../../../kernel';
import { buildRoot } from '../../../kernel/common/packagePaths';
import { eventually } from '../../eventually';
import { code } from '../faultyServer';

const CLI = join(buildRoot, 'kernel', 'cli.js');
const folder = mkdtempSync(join(tmpdir(), 'joylab-late-'));
after(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'late.ts');
writeFileSync(
  file,
  `import { Environment } from 'joylab';

export default class Late extends Environment<{ how: 'timer' | 'promise' | 'not' }, { b: number }> {
  reset() { return { observation: { b: 1 } }; }
  step({ how }: { how: string }) {
    if (how === 'timer') setTimeout(() => { throw new Error('late timer'); }, 10);
    if (how === 'promise') void Promise.reject(new Error('late promise'));
    return { observation: { b: 2 }, reward: 1 };
  }
}
`,
);

/** Sessions whose environment fails late are ended and told; others go on. */
async function failsLate(t: TestContext, args: string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const server = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => server.kill('SIGKILL'));
  let [said, logged] = ['', ''];
  server.stdout.on('data', (part) => (said += part));
  server.stderr.on('data', (part) => (logged += part));
  await eventually(() => /is served at http\S+\n/.test(said) || server.exitCode !== null, 'the server starts');
  assert.match(said, /^Late is served at /, logged);
  const [, url] = /at (http\S+)\n/.exec(said)!;

  const other = await OpenEnvClient.connect(url);
  await other.reset();
  for (const how of ['timer', 'promise']) {
    const client = await OpenEnvClient.connect(url);
    await client.reset();
    await client.step({ how }).catch(() => {}); // its answer and the end may come together
    await eventually(() => !client.connected, 'its session is ended');
    await assert.rejects(
      client.step({ how: 'not' }),
      code('EXECUTION_ERROR', new RegExp(`failed outside of its calls, and the session was ended: late ${how}`)),
    );
    await client.close();
    assert.match(logged, new RegExp(`late ${how}[^]* at `), 'the log tells where');
  }
  assert.equal((await other.step({ how: 'not' })).observation.b, 2);
  await other.close();
  server.kill('SIGTERM');
  await eventually(() => server.exitCode !== null, 'it stops as it was told');
  assert.equal(server.exitCode, 0);
}

test('joylab serve outlives late errors of its environments; a default export has the name of its class', (t) =>
  failsLate(t, [CLI, 'serve', file, '--port', '0']));

test('an exported server does so, too', async (t) => {
  const target = join(folder, 'space');
  await promisify(execFile)(process.execPath, [CLI, 'serve', file, '--export', target], { timeout: 300_000 });
  await failsLate(t, [join(target, 'server.js')], { PORT: '0', HOST: '127.0.0.1' });
});
