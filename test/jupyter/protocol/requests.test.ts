import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestKernel } from '../client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

test('kernel_info, completion and interrupt_request are answered while a cell runs', async () => {
  const id = kernel.send('shell', 'execute_request', { code: 'await new Promise(() => {})' });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'execute_input', 'the start');
  assert.equal((await kernel.request('shell', 'kernel_info_request')).content.protocol_version, '5.5');
  assert.equal((await kernel.request('control', 'kernel_info_request')).content.implementation, 'joylab');
  assert.ok(
    (await kernel.request('shell', 'complete_request', { code: 'Math.flo', cursor_pos: 8 })).content.matches.includes(
      'floor',
    ),
  );
  await kernel.request('control', 'interrupt_request');
  await kernel.finish(id);
});

test('positions are code points: after emoji, too', async () => {
  const code = "const face = '😀😀'; face.toUpp";
  const points = [...code].length;
  const { content } = await kernel.request('shell', 'complete_request', { code, cursor_pos: points });
  assert.ok(content.matches.includes('toUpperCase'));
  assert.deepEqual([content.cursor_start, content.cursor_end], [points - 'toUpp'.length, points]);
  const inspected = await kernel.request('shell', 'inspect_request', {
    code,
    cursor_pos: [...code].lastIndexOf('f') + 1,
    detail_level: 0,
  });
  assert.match(inspected.content.data['text/plain'], /const face: "😀😀"/);
});

test('completions carry their types, as JupyterLab shows them', async () => {
  const { content } = await kernel.request('shell', 'complete_request', { code: 'Math.f', cursor_pos: 6 });
  const floor = content.metadata._jupyter_types_experimental.find((it: any) => it.text === 'floor');
  assert.deepEqual(floor, { text: 'floor', type: floor.type, start: 5, end: 6 });
  assert.match(floor.type, /method|function/);
  assert.equal(content.metadata._jupyter_types_experimental.length, content.matches.length);
});

test('is_complete says how far to indent', async () => {
  const ask = async (code: string) => (await kernel.request('shell', 'is_complete_request', { code })).content;
  assert.deepEqual(await ask('1 + 1'), { status: 'complete' });
  assert.deepEqual(await ask('if (true) {'), { status: 'incomplete', indent: '  ' });
  assert.equal((await ask('let = ;')).status, 'invalid');
});

test('kernel_info tells what JupyterLab, nbconvert and VS Code go by', async () => {
  const { content } = await kernel.request('shell', 'kernel_info_request');
  assert.equal(content.status, 'ok');
  assert.equal(content.protocol_version, '5.5');
  const { name, mimetype, file_extension, pygments_lexer, nbconvert_exporter, version } = content.language_info;
  assert.deepEqual(
    [name, mimetype, file_extension, pygments_lexer, nbconvert_exporter],
    ['typescript', 'text/typescript', '.ts', 'typescript', 'script'],
  );
  assert.match(version, /^\d+\.\d+\.\d+/);
  // Nothing is promised that is not there: no debugger, no subshells.
  assert.deepEqual(content.supported_features, []);
});

test('debug_request is refused at once; usage_request tells memory and processor time', async () => {
  const debug = await kernel.request('control', 'debug_request', { type: 'request', seq: 3, command: 'initialize' });
  assert.deepEqual(debug.content, {
    type: 'response',
    request_seq: 3,
    success: false,
    command: 'initialize',
    message: 'This kernel has no debugger.',
  });
  const { content } = await kernel.request('control', 'usage_request');
  assert.equal(content.pid, kernel.process.pid);
  assert.ok(content.kernel_memory > 50e6 && content.host_virtual_memory.total > content.kernel_memory);
  assert.ok(content.kernel_cpu >= 0 && content.cpu_count >= 1);
});

test('requests on control have a busy and an idle of their own', async () => {
  for (const type of ['interrupt_request', 'kernel_info_request', 'usage_request']) {
    const id = kernel.send('control', type, {});
    await kernel.reply(id);
    await kernel.published((it) => it.parentHeader.msg_id === id && it.content.execution_state === 'idle', 'idle');
    assert.deepEqual(
      kernel.iopub.filter((it) => it.parentHeader.msg_id === id).map((it) => it.content.execution_state),
      ['busy', 'idle'],
    );
  }
});
