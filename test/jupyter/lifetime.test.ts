import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { TestKernel } from './client';

const CLI = path.resolve(__dirname, '..', '..', 'kernel', 'cli.js');

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('the kernel exits when its parent dies, also while it computes', { timeout: 30_000 }, async () => {
  const kernel = await TestKernel.start();
  const file = path.join(kernel.folder, 'connection.json');
  await kernel.request('control', 'shutdown_request', {});
  if (kernel.process.exitCode === null) await new Promise((resolve) => kernel.process.once('exit', resolve));
  // The same ports again, under a parent that we can kill.
  const start = `const child = require('child_process').spawn(process.execPath, ${JSON.stringify([CLI, 'kernel', file])}, { stdio: 'ignore' });
    console.log(child.pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', start], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve)));
  const welcomes = kernel.iopub.length;
  await kernel.until(() => kernel.iopub.length > welcomes, 'a sign of life');
  const id = kernel.send('shell', 'execute_request', { code: "console.log('x'); await 0; (0, eval)('for (;;);')" });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'stream', 'the start');
  parent.kill('SIGKILL');
  for (let waited = 0; isAlive(pid) && waited < 10_000; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(isAlive(pid), false);
  await kernel.stop();
});

test('process.exit in a cell ends the kernel quietly', async () => {
  const kernel = await TestKernel.start();
  kernel.send('shell', 'execute_request', { code: 'process.exit(3)' });
  const code = await new Promise((resolve) => kernel.process.once('exit', resolve));
  assert.equal(code, 3);
  await kernel.stop();
});

test('a bad connection file is one clear line', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-'));
  const file = path.join(folder, 'connection.json');
  const start = (text: string) => {
    fs.writeFileSync(file, text);
    return spawnSync(process.execPath, [CLI, 'kernel', file], { encoding: 'utf8' });
  };
  assert.match(start('{').stderr, /Cannot read the connection file/);
  assert.match(start('{"shell_port": 1}').stderr, /has no "control_port"/);
  assert.notEqual(start('{}').status, 0);
  fs.rmSync(folder, { recursive: true });
});
