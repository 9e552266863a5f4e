import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { eventually } from '../eventually';
import { TestKernel } from './client';

const CLI = path.resolve(__dirname, '..', '..', 'kernel', 'cli.js');

/** The kernel chooses its ports itself: nobody can take them in between. */
const OPEN_PORTS = { shell_port: 0, iopub_port: 0, stdin_port: 0, control_port: 0, hb_port: 0 };

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('the kernel exits when its parent dies, also while it computes', { timeout: 300_000 }, async () => {
  // Under a parent that we can kill.
  const start = (file: string) => `setInterval(() => {}, 1000);
    require('child_process').spawn(process.execPath, ${JSON.stringify([CLI, 'kernel', file])}, { stdio: 'ignore' });`;
  const kernel = await TestKernel.start(
    {},
    { connection: OPEN_PORTS, command: (file) => [process.execPath, '-e', start(file)] },
  );
  await kernel.until(() => kernel.iopub.some(({ header }) => header.msg_type === 'iopub_welcome'), 'iopub_welcome');
  const pid = Number(await kernel.run('process.pid'));
  const id = kernel.send('shell', 'execute_request', { code: "console.log('x'); await 0; (0, eval)('for (;;);')" });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'stream', 'the start');
  kernel.process.kill('SIGKILL');
  await eventually(() => !isAlive(pid), 'the kernel is gone');
  await kernel.stop();
});

test('a bad connection file is one clear line', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-'));
  const file = path.join(folder, 'connection.json');
  const start = (text: string) => {
    fs.writeFileSync(file, text);
    return spawnSync(process.execPath, [CLI, 'kernel', file], { encoding: 'utf8', timeout: 120_000 });
  };
  for (const [text, message] of [
    ['{', /Cannot read the connection file/],
    ['[]', /not a JSON object/],
    ['{"shell_port": "http"}', /has "http" as "shell_port"\. Valid: 0/],
    ['{"transport": "udp"}', /"udp" as "transport"\. Valid: "tcp", "ipc"/],
    ['{"signature_scheme": "hmac-none"}', /"hmac-none" as "signature_scheme"\. Valid: "hmac-sha256"/],
    ['{"key": 5}', /has 5 as "key"/],
  ] as const) {
    const { status, stderr } = start(text);
    assert.equal(status, 1);
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1);
  }
  assert.match(spawnSync(process.execPath, [CLI, 'kernel'], { encoding: 'utf8' }).stderr, /connection file/);
  fs.rmSync(folder, { recursive: true });
});

test('ports that the connection file leaves open are chosen and written into it', async () => {
  const kernel = await TestKernel.start({}, { connection: OPEN_PORTS });
  assert.equal(await kernel.run('6 * 7'), '42');
  const { content } = await kernel.request('control', 'connect_request');
  assert.equal(new Set(Object.values(content)).size, 6);
  assert.equal(content.shell_port, kernel.connection.shell_port);
  await kernel.stop();
});

test('a kernel on ipc sockets, with an empty key', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-'));
  const connection = {
    transport: 'ipc',
    ip: path.join(folder, 'kernel'),
    key: '',
    shell_port: 1,
    iopub_port: 2,
    stdin_port: 3,
    control_port: 4,
    hb_port: 5,
  } as const;
  const kernel = await TestKernel.start({}, { connection });
  assert.equal(await kernel.run('6 * 7'), '42');
  await kernel.stop();
  fs.rmSync(folder, { recursive: true });
});

test('ports that are taken are one clear line', async () => {
  const kernel = await TestKernel.start();
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'kernel', path.join(kernel.folder, 'connection.json')], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^joylab: Cannot listen on tcp:\/\/127\.0\.0\.1:\d+ \(\w+_port of the connection file\): .* Is another kernel using it\?\n$/,
  );
  assert.equal(await kernel.run('1'), '1');
  await kernel.stop();
});
