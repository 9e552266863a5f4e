import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestKernel } from '../client';

test('shutdown answers and ends the process', async () => {
  const other = await TestKernel.start();
  await other.run('1');
  const reply = await other.request('control', 'shutdown_request', { restart: false });
  assert.deepEqual(reply.content, { status: 'ok', restart: false });
  const code = other.process.exitCode ?? (await new Promise((resolve) => other.process.once('exit', resolve)));
  assert.equal(code, 0);
  await other.stop();
});

test('shutdown_request is answered on the channel it came on', async () => {
  const other = await TestKernel.start();
  const reply = await other.request('shell', 'shutdown_request', { restart: true });
  assert.deepEqual(reply.content, { status: 'ok', restart: true });
  await other.published(
    (it) => it.header.msg_type === 'shutdown_reply' && it.content.restart === true,
    'shutdown_reply for the other clients',
  );
  if (other.process.exitCode === null) await new Promise((resolve) => other.process.once('exit', resolve));
  await other.stop();
});

test('shutdown ends a kernel that computes', async () => {
  const other = await TestKernel.start();
  other.send('shell', 'execute_request', { code: "console.log('x'); await 0; (0, eval)('for (;;);')" });
  await other.published(({ header }) => header.msg_type === 'stream', 'the start');
  const exit = new Promise((resolve) => other.process.once('exit', resolve));
  await other.request('control', 'shutdown_request', { restart: true });
  await exit;
  await other.stop();
});
