import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { text, TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(
    "let kept = 7; import { exit } from 'node:process'; import { spawn } from 'node:child_process'; import { Worker } from 'node:worker_threads'; undefined",
  );
});
after(() => kernel.stop());

/** Code that would end a process, what it called, and the code of the end. */
const ENDS: Array<[code: string, call: string, exitCode: string]> = [
  ['process.exit(0)', 'process.exit(0)', '0'],
  ['process.exit()', 'process.exit()', '0'],
  ['exit(5)', 'process.exit(5)', '5'],
  ["function main() { process.exit(3); }\nmain(); console.log('not here');", 'process.exit(3)', '3'],
  ['try { process.exit(2); } catch {} 5', 'process.exit(2)', '2'],
  ['setTimeout(() => process.exit(1), 5); await new Promise(() => {})', 'process.exit(1)', '1'],
  ["spawn('sh', ['-c', 'exit 4']).on('exit', process.exit); await new Promise(() => {})", 'process.exit(4)', '4'],
  [
    "process.once('uncaughtException', () => process.exit(6)); setTimeout(() => { throw new Error('late'); }, 5); await new Promise(() => {})",
    'process.exit(6)',
    '6',
  ],
  ['process.abort()', 'process.abort()', '134'],
  ['(process as any).reallyExit(4)', 'process.reallyExit(4)', '4'],
  ['process.kill(process.pid)', 'process.kill(process.pid, "SIGTERM")', '143'],
  ['process.kill(process.pid, 9)', 'process.kill(process.pid, 9)', '137'],
  ["process.kill(-process.pid, 'SIGHUP')", `process.kill(-${'\\d+'}, "SIGHUP")`, '129'],
  ["process.emit('SIGTERM' as any)", "process.emit('SIGTERM')", '143'],
];

test('what ends a process ends the cell, and nothing else', async () => {
  for (const [code, call, exitCode] of ENDS) {
    const { reply, outputs } = await kernel.execute(code);
    const { ename, evalue, traceback } = reply.content;
    assert.deepEqual([ename, evalue], ['SystemExit', exitCode], code);
    const told = `SystemExit: ${call} ends a program. Here it ended the cell: the kernel goes on, and the variables stay. To end the kernel, choose "Shut Down Kernel" in the menu.`;
    const pattern = new RegExp(`^${told.replace(/[().?"]/g, '\\$&')}`);
    assert.match(traceback.join('\n').replace(/\x1b\[[0-9;]*m/g, ''), pattern, code);
    assert.ok(!text(outputs).includes('not here'), code);
    assert.equal(await kernel.run('kept'), '7', code);
  }
});

test('after its cell it does nothing, and says so', async () => {
  const { reply } = await kernel.execute('setTimeout(() => process.exit(1), 20); undefined');
  await kernel.published(
    (it) =>
      it.parentHeader.msg_id === reply.parentHeader.msg_id &&
      it.content.text === 'process.exit(1) was called after its cell had ended: it has no effect in a notebook.\n',
    'the line',
  );
  assert.equal(await kernel.run('kept'), '7');
});

test('signals that do no harm, workers that exit or fail, an exit code for later', async () => {
  assert.equal(
    await kernel.run(
      "const came = new Promise((resolve) => process.once('SIGUSR2', resolve)); process.kill(process.pid, 'SIGUSR2'); console.log(await came === 'SIGUSR2'); process.kill(process.pid, 0)",
    ),
    'true\ntrue',
  );
  assert.equal(
    await kernel.run(
      "process.exitCode = 3; await new Promise((resolve) => new Worker('process.exit(3)', { eval: true }).on('exit', resolve))",
    ),
    '3',
  );
  assert.match(
    await kernel.run(
      "const failing = new Worker('throw new Error(\"in the worker\")', { eval: true }); await new Promise((resolve) => failing.on('exit', resolve)); kept",
    ),
    /Uncaught[^]*in the worker[^]*7$/,
  );
});
