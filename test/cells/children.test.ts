import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../eventually';
import { text, TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start({ 'fork.js': "console.log('forked'); process.on('message', () => process.exit());" });
  await kernel.run(
    "import { execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';\nimport { Worker } from 'node:worker_threads';",
  );
});
after(() => kernel.stop());

/** The text that a cell's stream has once it holds `expected`, also after the cell's end. */
async function stream(id: string | undefined, name: string, expected: string): Promise<string> {
  const all = () => text(kernel.iopub.filter((it) => it.parentHeader.msg_id === id && it.content.name === name));
  await kernel.until(() => all().includes(expected), `${expected} on ${name}`);
  return all();
}

test('a child that inherits the streams writes to the cell that started it, also late and while others run', async () => {
  const { reply } = await kernel.execute(
    "const child = spawn('sh', ['-c', 'echo first; read line; echo second; echo third >&2'], { stdio: ['pipe', 'inherit', process.stderr] }); child.stdout",
  );
  const id = reply.parentHeader.msg_id;
  await stream(id, 'stdout', 'first\n');
  await kernel.run("console.log('between'); child.stdin!.write('go on\\n');");
  assert.equal(await stream(id, 'stdout', 'second\n'), 'first\nsecond\n');
  assert.equal(await stream(id, 'stderr', 'third\n'), 'third\n');
});

test('a child made by fork, and a worker thread', async () => {
  const forked = await kernel.execute("const process2 = fork('./fork.js');");
  assert.equal(await stream(forked.reply.parentHeader.msg_id, 'stdout', 'forked\n'), 'forked\n');
  await kernel.run("process2.send('end');");
  const threaded = await kernel.execute(
    `const worker = new Worker("require('worker_threads').parentPort.on('message', (text) => { console.log(text); console.error('e' + text); })", { eval: true });`,
  );
  await kernel.run("console.log('between'); worker.postMessage('late');");
  assert.equal(await stream(threaded.reply.parentHeader.msg_id, 'stdout', 'late\n'), 'late\n');
  assert.equal(await stream(threaded.reply.parentHeader.msg_id, 'stderr', 'elate\n'), 'elate\n');
  await kernel.run('void worker.terminate();');
});

test('a child that the cell waits for shows its output at once, in order', async () => {
  // It goes on when there is a file, which is made when its first line has arrived.
  const wait = 'while [ ! -e go ]; do sleep 0.02; done';
  const id = kernel.send('shell', 'execute_request', {
    code: `console.log('before'); execSync('echo one; ${wait}; echo two >&2; sleep 0.1; echo three', { stdio: 'inherit' }); console.log('after');`,
  });
  assert.equal(await stream(id, 'stdout', 'one\n'), 'before\none\n');
  writeFileSync(join(kernel.folder, 'go'), '');
  await kernel.finish(id);
  assert.equal(await stream(id, 'stdout', 'after\n'), 'before\none\nthree\nafter\n');
  assert.equal(await stream(id, 'stderr', 'two\n'), 'two\n');
});

test('execSync, execFileSync and spawnSync give what Node.js gives', async () => {
  const given = async (code: string) => (await kernel.run(code)).replace(/\s+/g, ' ');
  assert.equal(await given("execSync('echo hi', { encoding: 'utf8' })"), "'hi\\n'");
  assert.equal(await given("execFileSync('cat', { input: 'abc' }).toString()"), "'abc'");
  assert.equal(
    await given("execSync('echo $A; pwd', { env: { A: 'x', PATH: process.env.PATH }, cwd: '/', encoding: 'utf8' })"),
    "'x\\n/\\n'",
  );
  assert.equal(
    await given(
      "const { status, signal, stdout, output, error } = spawnSync('sh', ['-c', 'echo a; exit 3'], { encoding: 'utf8' }); [status, signal, stdout, output, error]",
    ),
    "[ 3, null, 'a\\n', [ null, 'a\\n', '' ], undefined ]",
  );
  assert.equal(
    await given(
      "[spawnSync('/no/such/program').error, spawnSync('yes', { maxBuffer: 100 }).error, spawnSync('sleep', ['60'], { timeout: 20 }).error].map((it: any) => it.code)",
    ),
    "[ 'ENOENT', 'ENOBUFS', 'ETIMEDOUT' ]",
  );
  assert.match(
    await kernel.fail("execSync('echo bad >&2; exit 4')"),
    /^Error: Command failed: echo bad >&2; exit 4\nbad\n[^]*> 1 \| execSync[^]*status: 4/,
  );
});

for (const [name, code] of Object.entries({
  'a child that the cell waits for': "execSync('echo started; sleep 600; echo not here', { stdio: 'inherit' })",
  'such a child after an await':
    "await null; await new Promise((resolve) => setTimeout(resolve, 1)); spawnSync('sh', ['-c', 'echo started; sleep 600'], { stdio: 'inherit' })",
  'a child that ignores the signal':
    "execSync('trap \"\" INT; echo started; sleep 600; sleep 600', { stdio: 'inherit' })",
  'a child that is awaited':
    "await new Promise((resolve) => spawn('sh', ['-c', 'trap \"echo stopped; exit\" INT; echo started; while :; do sleep 0.02; done'], { stdio: 'inherit' }).on('close', resolve))",
})) {
  test(`an interrupt ends ${name}`, async () => {
    const id = kernel.send('shell', 'execute_request', { code });
    await stream(id, 'stdout', 'started\n');
    await kernel.request('control', 'interrupt_request');
    assert.equal((await kernel.finish(id)).reply.content.ename, 'KeyboardInterrupt');
    if (code.includes('stopped')) await stream(id, 'stdout', 'stopped\n');
    assert.equal(await kernel.run('6 * 7'), '42');
  });
}

test('a kernel that is shut down leaves no child behind that ignores signals', async () => {
  const other = await TestKernel.start();
  const id = other.send('shell', 'execute_request', {
    code: "import { execSync } from 'node:child_process';\nexecSync('trap \"\" INT TERM; echo $$; sleep 600; sleep 600', { stdio: 'inherit' })",
  });
  const shown = await other.published(
    (it) => it.parentHeader.msg_id === id && it.content.name === 'stdout',
    'the ID of the child',
  );
  const group = Number(shown.content.text);
  assert.ok(runs(group));
  await other.request('control', 'shutdown_request', { restart: false });
  await other.stop();
  await eventually(() => !runs(group), `the end of process group ${group}`, 10);
});

/** Whether any process of a group is there. */
function runs(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}
