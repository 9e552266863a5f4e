import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { text, TestKernel, types } from '../client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

test('a comm carries data and binary buffers both ways', async () => {
  await kernel.run(`
    import { registerCommTarget } from 'joylab';
    registerCommTarget('test.echo', (comm, data, buffers) => {
      comm.send({ opened: data }, buffers);
      comm.onMessage((data, buffers) => comm.send({ echo: data }, buffers.map((it) => it.map((byte) => 255 - byte))));
      comm.onClose(() => console.log('closed'));
    });`);
  const comm_id = 'comm-1';
  const opening = kernel.send('shell', 'comm_open', { comm_id, target_name: 'test.echo', data: { a: 1 } }, [
    Buffer.from([1, 2, 3]),
  ]);
  const opened = await kernel.published(
    (it) => it.header.msg_type === 'comm_msg' && 'opened' in it.content.data,
    'the answer',
  );
  assert.deepEqual(opened.content, { comm_id, data: { opened: { a: 1 } } });
  assert.deepEqual([...opened.buffers[0]], [1, 2, 3]);
  assert.equal(opened.parentHeader.msg_id, opening);
  const info = await kernel.request('shell', 'comm_info_request', { target_name: 'test.echo' });
  assert.deepEqual(info.content, { status: 'ok', comms: { [comm_id]: { target_name: 'test.echo' } } });
  kernel.send('shell', 'comm_msg', { comm_id, data: 'hello' }, [Buffer.from([0, 255]), Buffer.from([7])]);
  const echo = await kernel.published(
    (it) => it.header.msg_type === 'comm_msg' && 'echo' in it.content.data,
    'the echo',
  );
  assert.equal(echo.content.data.echo, 'hello');
  assert.deepEqual(
    echo.buffers.map((it) => [...it]),
    [[255, 0], [248]],
  );
  kernel.send('shell', 'comm_close', { comm_id, data: {} });
  await kernel.published((it) => it.content.text === 'closed\n', 'the close handler');
  assert.deepEqual((await kernel.request('shell', 'comm_info_request', {})).content.comms, {});
});

test('the kernel opens and closes comms, too', async () => {
  const { outputs } = await kernel.execute(`
    import { openComm } from 'joylab';
    const opened = openComm('front.end', { a: 1 }, [new Uint8Array([1, 2])]);
    opened.onMessage((data, buffers) => console.log(data, buffers[0][0]));
    opened.onClose(() => console.log('gone'));`);
  const [open] = outputs;
  assert.equal(open.header.msg_type, 'comm_open');
  assert.deepEqual(
    [open.content.target_name, open.content.data, [...open.buffers[0]]],
    ['front.end', { a: 1 }, [1, 2]],
  );
  const { comm_id } = open.content;
  kernel.send('shell', 'comm_msg', { comm_id, data: { b: 2 } }, [Buffer.from([7])]);
  await kernel.published((it) => it.content.text === '{ b: 2 } 7\n', 'the message');
  const sent = await kernel.execute('opened.send({ c: 3 }, [new Uint8Array(new Float32Array([1.5]).buffer)])');
  assert.equal(sent.outputs[0].buffers[0].length, 4);
  kernel.send('shell', 'comm_close', { comm_id });
  await kernel.published((it) => it.content.text === 'gone\n', 'the end');
  const closed = await kernel.execute(
    "const second = openComm('front.end'); second.close(); second.send({}); second.close();",
  );
  assert.deepEqual(types(closed.outputs), ['comm_open', 'comm_close']);
});

test('a comm for an unknown target is closed', async () => {
  kernel.send('shell', 'comm_open', { comm_id: 'stray', target_name: 'nobody', data: {} });
  await kernel.published((it) => it.header.msg_type === 'comm_close' && it.content.comm_id === 'stray', 'comm_close');
});

test('comm messages are handled while a cell awaits, and leave the kernel busy', async () => {
  await kernel.run(`
    import { cellContext } from '${require.resolve('../../../kernel/display/cellContext')}';
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    cellContext().registerCommTarget('test.release', () => release());`);
  const id = kernel.send('shell', 'execute_request', { code: 'await released; "released"' });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'execute_input', 'the start');
  kernel.send('shell', 'comm_open', { comm_id: 'release', target_name: 'test.release', data: {} });
  const { outputs } = await kernel.finish(id);
  assert.equal(text(outputs), "'released'");
  const states = kernel.iopub.filter(({ header }) => header.msg_type === 'status');
  const from = states.findIndex((it) => it.parentHeader.msg_id === id);
  assert.deepEqual(
    states.slice(from, from + 2).map((it) => [it.parentHeader.msg_id, it.content.execution_state]),
    [
      [id, 'busy'],
      [id, 'idle'],
    ],
  );
});
