import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encode } from '../../../kernel/jupyter/message';
import { Signer } from '../../../kernel/jupyter/signature';
import { TestKernel } from '../client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

test('messages with a wrong signature, or none, are dropped', async () => {
  const request = { type: 'execute_request', content: JSON.stringify({ code: "console.log('forged')" }), parent: null };
  await kernel.shell.send(encode(request, [], new Signer('hmac-sha256', 'another key')));
  await kernel.shell.send(encode(request, [], new Signer('hmac-sha256', '')));
  assert.equal(await kernel.run('1'), '1');
  assert.ok(!kernel.iopub.some(({ content }) => content.text === 'forged\n'));
});

test('buffers are not part of the signature', async () => {
  const comm = encode(
    { type: 'comm_open', content: '{"comm_id":"b","target_name":"nobody","data":{}}', parent: null },
    [],
    kernel.signer,
  );
  await kernel.shell.send([...comm, Buffer.from('a buffer that nobody signed')]);
  await kernel.published((it) => it.header.msg_type === 'comm_close' && it.content.comm_id === 'b', 'comm_close');
});

test('malformed messages do no harm', async () => {
  const signed = (frames: string[]) => [
    '<IDS|MSG>',
    kernel.signer.sign(frames.map((it) => Buffer.from(it))),
    ...frames,
  ];
  const header = JSON.stringify({
    msg_id: 'm',
    msg_type: 'execute_request',
    session: 's',
    username: 'u',
    date: '',
    version: '5.5',
  });
  for (const frames of [
    [''],
    ['<IDS|MSG>'],
    ['x', 'y', 'z'],
    signed(['{', '{}', '{}', '{}']),
    signed(['[]', '{}', '{}', '{}']),
    signed(['{}', '{}', '{}', '{}']),
    signed([header, 'null', '{}', '{}']),
    signed([header, '{}', '{}', '{"code": 5}']),
    signed([header.replace('execute_request', 'no_such_request'), '{}', '{}', '{}']),
    signed([header.replace('execute_request', 'complete_request'), '{}', '{}', '{"code": {}, "cursor_pos": "x"}']),
    signed([header.replace('execute_request', 'comm_msg'), '{}', '{}', '{"comm_id": 3}']),
  ]) {
    for (const channel of ['shell', 'control', 'stdin'] as const) await kernel[channel].send(frames);
  }
  assert.equal(await kernel.run('6 * 7'), '42');
});
