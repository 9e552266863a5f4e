import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../../eventually';
import { text, TestKernel } from '../client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

test('prompt asks the front end; without one it is an error', async () => {
  const id = kernel.send('shell', 'execute_request', {
    code: "const name = prompt('Your name?'); name",
    allow_stdin: true,
  });
  const request = await kernel.reply(id, 'input_request');
  assert.deepEqual(request.content, { prompt: 'Your name? ', password: false });
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'Zoë 😀' });
  assert.equal(text((await kernel.finish(id)).outputs), "'Zoë 😀'");
  assert.match(await kernel.fail("prompt('x')"), /allow_stdin/);
});

test('confirm and promptSecret ask, too', async () => {
  const id = kernel.send('shell', 'execute_request', {
    code: "[confirm('Sure?'), promptSecret('Key?')]",
    allow_stdin: true,
  });
  const first = await kernel.reply(id, 'input_request');
  assert.deepEqual(first.content, { prompt: 'Sure? [y/N] ', password: false });
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'Yes' });
  await kernel.until(
    () => kernel.replies.filter((it) => it.parentHeader.msg_id === id).length === 2,
    'the second question',
  );
  const second = kernel.replies.filter((it) => it.parentHeader.msg_id === id)[1];
  assert.deepEqual(second.content, { prompt: 'Key? ', password: true });
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'hush' });
  assert.equal(text((await kernel.finish(id)).outputs), "[ true, 'hush' ]");
});

test('an answer that nobody waits for is not taken for the next one', async () => {
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'stale' });
  // Messages of a channel keep their order: when the next one has been dropped, the answer has been read.
  const dropped = async (): Promise<number> =>
    (await kernel.request('control', 'usage_request')).content.dropped_messages;
  const before = await dropped();
  await kernel.stdin.send(['no message']);
  await eventually(async () => (await dropped()) > before, 'the message is dropped');
  const id = kernel.send('shell', 'execute_request', { code: "prompt('?')", allow_stdin: true });
  await kernel.reply(id, 'input_request');
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'fresh' });
  assert.equal(text((await kernel.finish(id)).outputs), "'fresh'");
});

test('a prompt can be interrupted', async () => {
  const id = kernel.send('shell', 'execute_request', { code: "prompt('?')", allow_stdin: true });
  await kernel.reply(id, 'input_request');
  await kernel.request('control', 'interrupt_request');
  assert.equal((await kernel.finish(id)).reply.content.ename, 'KeyboardInterrupt');
});
