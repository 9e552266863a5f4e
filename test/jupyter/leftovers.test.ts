import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestKernel } from './client';
import { testLeftovers, WAIT } from './leftovers';

testLeftovers('it is shut down', WAIT, (kernel) => kernel.request('control', 'shutdown_request', { restart: false }));
testLeftovers('it is killed', WAIT, (kernel) => kernel.process.kill('SIGKILL'));

test('children are what they are in Node.js: IDs, signals, exit codes, environments', async () => {
  const kernel = await TestKernel.start({
    'fork.js':
      "process.on('message', (m) => { process.send({ got: m, set: process.env.SET }); process.disconnect(); });",
  });
  await kernel.run(
    "import { execSync, fork, spawn, spawnSync } from 'node:child_process';\nconst end = (child: any) => new Promise((resolve) => child.on('close', (code: any, signal: any) => resolve([code, signal])));",
  );
  assert.equal(
    await kernel.run("const killed = spawn('sleep', ['300']); [killed.kill(), await end(killed), killed.killed]"),
    "[ true, [ null, 'SIGTERM' ], true ]",
  );
  assert.equal(await kernel.run("await end(spawn('sh', ['-c', 'exit 7']))"), '[ 7, null ]');
  assert.equal(
    await kernel.run(
      "const shell = spawn('sh', ['-c', 'echo $$']); let said = ''; shell.stdout.on('data', (text) => (said += text)); await end(shell); Number(said) === shell.pid",
    ),
    'true',
  );
  assert.equal(
    await kernel.run(
      "const forked = fork('./fork.js', { env: { SET: 'yes', PATH: process.env.PATH } }); forked.send('hi'); await new Promise((resolve) => forked.on('message', resolve))",
    ),
    "{ got: 'hi', set: 'yes' }",
  );
  assert.equal(
    await kernel.run(
      "const missing = spawn('/no/such'); (await new Promise<any>((resolve) => missing.on('error', resolve))).code",
    ),
    "'ENOENT'",
  );
  assert.equal(
    await kernel.run("execSync('echo $A$B', { env: { A: 'a', PATH: process.env.PATH }, encoding: 'utf8' })"),
    "'a\\n'",
  );
  assert.match(await kernel.fail("spawn('sh', [], { detached: 5 } as any)"), /ERR_INVALID_ARG_TYPE/);
  const other = await kernel.run(
    "const group = (pid: number) => execSync(`ps -o pgid= -p ${pid}`, { encoding: 'utf8' }).trim(); const one = spawn('sleep', ['300']); const both = [group(one.pid!) === group(process.pid), spawn('sleep', ['300'], { detached: true }).kill()]; one.kill(); both",
  );
  assert.equal(other, '[ true, true ]', 'a child is in the process group of its kernel, as ever');
  await kernel.stop();
});
