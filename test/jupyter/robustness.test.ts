import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Dealer, Request } from 'zeromq';
import { address } from '../../kernel/jupyter/connection';
import { encode } from '../../kernel/jupyter/message';
import { Signer } from '../../kernel/jupyter/signature';
import { eventually } from '../eventually';
import { text, TestKernel, UNTIL_RELEASED } from './client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

const executeRequest = (code: string) => ({ type: 'execute_request', content: JSON.stringify({ code }), parent: null });
const dropped = async (): Promise<number> =>
  (await kernel.request('control', 'usage_request')).content.dropped_messages;
/** Waits for a line of the log, which comes by another way than messages. */
const logged = (line: RegExp): Promise<void> =>
  eventually(
    () => line.test(kernel.log),
    () => `${line} in the log:\n${kernel.log}`,
  );

test('wrong signatures are counted, and said in the log once', async () => {
  const before = await dropped();
  const stranger = new Signer('hmac-sha256', 'another key');
  for (let i = 0; i < 5; i++) await kernel.shell.send(encode(executeRequest("console.log('forged')"), [], stranger));
  assert.equal(await kernel.run('1'), '1');
  assert.equal(await dropped(), before + 5);
  await logged(/dropped a message on shell: the signature is wrong \(said once\)/);
  assert.equal(kernel.log.match(/the signature is wrong/g)?.length, 1);
  assert.ok(!kernel.iopub.some(({ content }) => content.text === 'forged\n'));
});

test('a message that is sent again is dropped', async () => {
  await kernel.run('let times = 0;');
  const frames = encode(executeRequest('times++;'), [], kernel.signer);
  for (let i = 0; i < 3; i++) await kernel.shell.send(frames);
  assert.equal(await kernel.run('times'), '1');
  await logged(/it was sent before/);
});

test('binary garbage on every channel does no harm', async () => {
  const garbage = [
    Buffer.alloc(1000, 255),
    Buffer.from('<IDS|MSG>'),
    Buffer.alloc(0),
    Buffer.from([0, 1, 2]),
    Buffer.alloc(100_000, 7),
  ];
  for (const channel of ['shell', 'control', 'stdin'] as const) {
    await kernel[channel].send(garbage);
    await kernel[channel].send(garbage.slice(0, 1));
    await kernel[channel].send(encode(executeRequest('1'), garbage, kernel.signer));
  }
  assert.equal(await kernel.run('6 * 7'), '42');
});

test('the heartbeat answers while a cell computes', async () => {
  const heart = new Request({ linger: 0, receiveTimeout: 60_000 });
  heart.connect(address(kernel.connection, kernel.connection.hb_port));
  const id = kernel.send('shell', 'execute_request', { code: `console.log('on'); ${UNTIL_RELEASED}` });
  await kernel.published((it) => it.content.text === 'on\n', 'the start');
  for (let i = 0; i < 20; i++) {
    await heart.send(`ping ${i}`);
    assert.equal((await heart.receive()).toString(), `ping ${i}`);
  }
  assert.ok(
    !kernel.iopub.some((it) => it.parentHeader.msg_id === id && it.content.execution_state === 'idle'),
    'the cell still computes',
  );
  kernel.release();
  await kernel.finish(id);
  heart.close();
});

test('two clients share a kernel: each gets its replies, both see all outputs', async () => {
  const other = kernel.connect();
  await other.until(() => other.iopub.some(({ header }) => header.msg_type === 'iopub_welcome'), 'iopub_welcome');
  const codes = Array.from({ length: 10 }, (_, i) => `console.log('${i}')`);
  const mine = codes.map((code) => kernel.send('shell', 'execute_request', { code }));
  const theirs = codes.map((code) => other.send('shell', 'execute_request', { code }));
  for (const id of mine) assert.equal((await kernel.finish(id)).reply.content.status, 'ok');
  for (const id of theirs) assert.equal((await other.finish(id)).reply.content.status, 'ok');
  assert.ok(!kernel.replies.some((it) => theirs.includes(it.parentHeader.msg_id!)));
  await other.published(
    (it) => it.parentHeader.msg_id === mine[9] && it.content.execution_state === 'idle',
    "the other client's idle",
  );
  // Input is asked of the client that runs the cell.
  const asking = other.send('shell', 'execute_request', { code: "prompt('?')", allow_stdin: true });
  await other.reply(asking, 'input_request');
  assert.ok(!kernel.replies.some((it) => it.parentHeader.msg_id === asking));
  other.send('stdin', 'input_reply', { status: 'ok', value: 'other' });
  assert.equal(text((await other.finish(asking)).outputs), "'other'");
  other.close();
  assert.equal(await kernel.run('1'), '1');
});

test('a client that goes away in the middle of its cell leaves the kernel to the others', async () => {
  const socket = new Dealer({ linger: 500 });
  socket.connect(address(kernel.connection, kernel.connection.shell_port));
  await socket.send(
    encode(executeRequest(`console.log('begun'); await 0; ${UNTIL_RELEASED} console.log('alone');`), [], kernel.signer),
  );
  await kernel.published((it) => it.content.text === 'begun\n', 'the start');
  socket.close();
  kernel.release();
  await kernel.published((it) => it.content.text === 'alone\n', 'the output');
  assert.equal(await kernel.run('6 * 7'), '42');
});

test('50 MB of output arrive whole, as a stream and as a display', { timeout: 300_000 }, async () => {
  const printed = await kernel.execute(
    "for (let i = 0; i < 500; i++) process.stdout.write(String(i).padEnd(1e5, 'é'))",
  );
  const expected = Array.from({ length: 500 }, (_, i) => String(i).padEnd(1e5, 'é')).join('');
  const hash = (value: string) => createHash('sha256').update(value).digest('hex');
  assert.equal(hash(text(printed.outputs)), hash(expected));
  const shown = await kernel.execute("({ 'text/plain': 'x'.repeat(50e6) })");
  assert.equal(shown.outputs[0].content.data['text/plain'].length, 50e6);
  assert.equal(await kernel.run('1'), '1');
});

test('text and other outputs keep their order, whatever their number and size', async () => {
  const { outputs } = await kernel.execute(`
    import { display } from 'joylab';
    for (let i = 0; i < 300; i++) {
      console.log(i);
      if (i % 3 === 0) console.error('e' + i);
      if (i % 7 === 0) void display({ 'text/plain': 'd' + i + ' ' });
      if (i % 50 === 0) process.stdout.write('x'.repeat(400_000));
    }`);
  const expected = Array.from(
    { length: 300 },
    (_, i) =>
      `${i}\n${i % 3 === 0 ? `e${i}\n` : ''}${i % 7 === 0 ? `d${i} ` : ''}${i % 50 === 0 ? 'x'.repeat(400_000) : ''}`,
  ).join('');
  assert.equal(text(outputs), expected);
});

test('half of a surrogate pair is printed as U+FFFD, which every client can read', async () => {
  assert.equal(await kernel.run("void process.stdout.write('a\\ud83d!')"), 'a\ufffd!');
});
