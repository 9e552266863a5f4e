import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import { plain, TestKernel, text, UNTIL_RELEASED, type Execution } from './client';
import type { Message } from '../../kernel/jupyter/message';

/* Jupyter's widgets, as a front end speaks with them: version 2.1 of their protocol. */

const VIEW = 'application/vnd.jupyter.widget-view+json';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(
    "import { rewardRegistry } from 'joylab'; import { Button, Dropdown, FloatSlider, HBox, widget } from 'joylab/widgets';",
  );
});
after(() => kernel.stop());

/** Returns the ID of the model that a cell shows. */
function shown({ reply, outputs }: Execution): string {
  assert.equal(reply.content.status, 'ok', plain(String(reply.content.traceback?.join('\n'))));
  return outputs.find(({ content }) => content.data?.[VIEW])!.content.data[VIEW].model_id;
}

/** Sends a message of a view; returns its ID. */
function send(comm_id: string, data: object, buffers: Uint8Array[] = []): string {
  return kernel.send('shell', 'comm_msg', { comm_id, data }, buffers);
}

const move = (id: string, state: object) => send(id, { method: 'update', state, buffer_paths: [] });

/** Waits until a message was handled, and returns what the kernel published for it. */
async function handled(id: string): Promise<Message[]> {
  const own = (it: Message) => it.parentHeader.msg_id === id;
  await kernel.published((it) => own(it) && it.content.execution_state === 'idle', 'idle');
  return kernel.iopub.filter((it) => own(it) && it.header.msg_type === 'comm_msg');
}

const opened = (id: string) =>
  kernel.iopub.find(({ header, content }) => header.msg_type === 'comm_open' && content.comm_id === id)!;

test('a widget is opened with its whole state, and shown by a view with a text for other viewers', async () => {
  const execution = await kernel.execute(`const counter = widget({
  state: { count: 1, data: { bytes: new Float32Array([1.5]), list: [new Uint8Array([7]), 'x'] } },
  imports: "import d3 from 'https://esm.sh/d3@7';",
  css: '.count { color: red }',
  render({ model, el }) {
    for (const key of ['count'] as const) el.textContent = String(model.get(key));
  },
});
counter`);
  const id = shown(execution);
  const { content, metadata, buffers } = opened(id);
  assert.equal(content.target_name, 'jupyter.widget');
  assert.match(String(metadata.version), /^2\.1/);
  const { _esm, _anywidget_id, ...state } = content.data.state;
  assert.deepEqual(state, {
    _model_module: 'anywidget',
    _model_module_version: '*',
    _model_name: 'AnyModel',
    _view_module: 'anywidget',
    _view_module_version: '*',
    _view_name: 'AnyView',
    _view_count: null,
    _css: '.count { color: red }',
    count: 1,
    data: { list: [null, 'x'] },
  });
  assert.deepEqual(content.data.buffer_paths, [
    ['data', 'bytes'],
    ['data', 'list', 0],
  ]);
  assert.deepEqual([buffers[0].length, [...buffers[1]]], [4, [7]]);
  // Without types and guards, which a browser does not know.
  assert.match(
    _esm,
    /^import d3 from .*\nexport default \{ render\(\{ model, el \}\) \{\s+for \(const key of \['count'\]\) /,
  );
  assert.doesNotMatch(_esm, /__/);
  const bundle = execution.outputs.at(-1)!.content.data;
  assert.deepEqual(bundle[VIEW], { version_major: 2, version_minor: 0, model_id: id });
  assert.match(bundle['text/plain'], /^widget\(\{ count: 1, .*\nThis is a Jupyter widget\..*pip install anywidget/s);
});

test('values go both ways: a view tells the kernel, which tells the other views; the kernel tells all', async () => {
  const id = shown(
    await kernel.execute(`const both = widget({ state: { value: 0, bytes: new Uint8Array() }, esm: 'export default {}' });
both.on('change:value', (value) => console.log('value', value));
both.on('change:bytes', (bytes) => console.log('bytes', ...bytes));
both`),
  );
  const cell = kernel.iopub.findLast(({ header }) => header.msg_type === 'execute_input')!.parentHeader.msg_id;
  const [echo, ...more] = await handled(move(id, { value: 2, unknown: 1 }));
  assert.deepEqual(echo.content.data, { method: 'echo_update', state: { value: 2 }, buffer_paths: [] });
  assert.equal(more.length, 0);
  const printed = await kernel.published(({ content }) => content.text === 'value 2\n', 'the handler');
  assert.equal(printed.parentHeader.msg_id, cell, 'below the cell that added the handler');
  assert.equal(await kernel.run('both.value + both.get("value")'), '4');

  const binary = { method: 'update', state: {}, buffer_paths: [['bytes']] };
  const [echoed] = await handled(send(id, binary, [Buffer.from([1, 2])]));
  assert.deepEqual([echoed.content.data.buffer_paths, [...echoed.buffers[0]]], [[['bytes']], [1, 2]]);
  await kernel.published(({ content }) => content.text === 'bytes 1 2\n', 'the bytes');

  const { outputs } = await kernel.execute(
    'both.value = 5; both.set({ value: 5 }); both.send({ hello: 1 }, [new Uint8Array([3])]);',
  );
  const [update, custom] = outputs.filter(({ header }) => header.msg_type === 'comm_msg');
  assert.deepEqual(update.content.data, { method: 'update', state: { value: 5 }, buffer_paths: [] });
  assert.deepEqual([custom.content.data, [...custom.buffers[0]]], [{ method: 'custom', content: { hello: 1 } }, [3]]);

  await kernel.run("both.on('msg:custom', (content, buffers) => console.log(content, buffers[0][0]));");
  send(id, { method: 'custom', content: { from: 'view' } }, [Buffer.from([9])]);
  await kernel.published(({ content }) => content.text === "{ from: 'view' } 9\n", 'the message');
});

test('a page that was loaded again gets all widgets at once, or one by one', async () => {
  const id = shown(
    await kernel.execute("const again = widget({ state: { value: 3, bytes: new Uint8Array([1]) }, esm: '' }); again"),
  );
  const comm_id = 'control';
  kernel.send('shell', 'comm_open', { comm_id, target_name: 'jupyter.widget.control', data: {} }, [], {
    version: '1.0.0',
  });
  const [{ content, buffers }] = await handled(send(comm_id, { method: 'request_states' }));
  const { method, states, buffer_paths } = content.data;
  assert.equal(method, 'update_states');
  assert.equal(states[id].model_name, 'AnyModel');
  assert.equal(states[id].state.value, 3);
  const at = buffer_paths.findIndex((path: string[]) => path[0] === id);
  assert.deepEqual([buffer_paths[at], [...buffers[at]]], [[id, 'state', 'bytes'], [1]]);

  const info = await kernel.request('shell', 'comm_info_request', { target_name: 'jupyter.widget' });
  assert.ok(id in info.content.comms);
  const [one] = await handled(send(id, { method: 'request_state' }));
  assert.equal(one.content.data.method, 'update');
  assert.equal(one.content.data.state.value, 3);

  await kernel.run('again.close(); again.value = 4;');
  const later = await handled(send(comm_id, { method: 'request_states' }));
  assert.ok(!(id in later[0].content.data.states));
  assert.equal(await kernel.run('again.value'), '4', 'its state stays');
});

test('a moved slider takes effect while a cell awaits, and again before that cell ends', async () => {
  const id = shown(await kernel.execute("const live = FloatSlider({ value: 1, max: 2, description: 'live' }); live"));
  const waiting = kernel.send('shell', 'execute_request', {
    code: `await new Promise<void>((resolve) => live.on('change:value', (value) => { if (value === 2) resolve(); }));
${UNTIL_RELEASED}`,
  });
  await kernel.published((it) => it.parentHeader.msg_id === waiting && it.header.msg_type === 'execute_input', 'it');
  // A front end sends nothing more before the first is done.
  const moved = move(id, { value: 1.5 });
  await handled(moved);
  move(id, { value: 2 });
  kernel.release();
  assert.equal((await kernel.finish(waiting)).reply.content.status, 'ok');
  const states = kernel.iopub.filter(({ header }) => header.msg_type === 'status');
  const from = states.findIndex((it) => it.parentHeader.msg_id === waiting);
  const first = states.findIndex((it) => it.parentHeader.msg_id === moved && it.content.execution_state === 'idle');
  assert.deepEqual(
    [states[from], states[first + 1]].map((it) => [it.parentHeader.msg_id, it.content.execution_state]),
    [
      [waiting, 'busy'],
      [waiting, 'busy'],
    ],
    'the kernel is shown as busy again',
  );
});

test('controls keep to their limits, and say what they do not take', async () => {
  const id = shown(await kernel.execute('const bounded = FloatSlider({ value: 9, min: -1, max: 2 }); bounded'));
  assert.equal(await kernel.run('bounded.value'), '2');
  const answers = await handled(move(id, { value: 3 }));
  assert.deepEqual(
    answers.map(({ content }) => [content.data.method, content.data.state.value]),
    [
      ['echo_update', 3],
      ['update', 2],
    ],
    'the view is put back',
  );
  assert.equal(await kernel.run('bounded.max = 1; bounded.value'), '1');
  assert.match(await kernel.fail('bounded.value = NaN'), /The value of a slider must be a finite number, not NaN/);
  assert.match(await kernel.fail('bounded.min = 5'), /min of a slider must be at most its max: 5 is more than 1/);
  assert.match(await kernel.fail("bounded.set('vlaue' as any, 1)"), /FloatSlider has no "vlaue"\. It has: value, min/);
  assert.match(await kernel.fail('FloatSlider({ maximum: 2 } as any)'), /FloatSlider has no "maximum"/);
  assert.match(await kernel.fail('widget({ state: { a: 1 } })'), /one of render.* and esm/);
  assert.equal(await kernel.run('bounded.value'), '1');
});

test('a list gives its values, a button its clicks, a box its widgets', async () => {
  const execution = await kernel.execute(`const list = Dropdown({ options: { left: -1, right: 1 } });
const button = Button({ description: 'Go' });
list.on('change:value', (value) => console.log('chosen', value));
button.on('click', () => console.log('clicked'));
HBox([list, button])`);
  const { children } = opened(shown(execution)).content.data.state;
  const [list, button] = children.map((name: string) => name.replace('IPY_MODEL_', ''));
  assert.deepEqual(opened(list).content.data.state._options_labels, ['left', 'right']);
  move(list, { index: 1 });
  await kernel.published(({ content }) => content.text === 'chosen 1\n', 'the choice');
  send(button, { method: 'custom', content: { event: 'click' } });
  await kernel.published(({ content }) => content.text === 'clicked\n', 'the click');
  const { outputs } = await kernel.execute('list.value = -1;');
  assert.deepEqual(outputs[0].content.data.state, { index: 0 });
  assert.match(await kernel.fail('list.value = 0 as any'), /A Dropdown has no value 0\. It has: left, right\./);
});

test('an error of a handler is shown below its cell, an endless one is interrupted, and the kernel lives', async () => {
  const id = shown(
    await kernel.execute(`const wild = widget({ state: { value: 0 }, esm: 'export default {}' });
wild.on('change:value', (value) => { if (value === 1) throw new Error('handler failed'); });
wild.on('change:value', (value) => { if (value === 2) for (;;); });
wild.on('change:value', async (value) => { if (value === 3) throw new Error('later'); });
wild.on('change', () => console.log('all are called'));
wild`),
  );
  const cell = kernel.iopub.findLast(({ header }) => header.msg_type === 'execute_input')!.parentHeader.msg_id;
  for (const [value, message] of [
    [1, 'handler failed'],
    [3, 'later'],
  ] as const) {
    move(id, { value });
    const error = await kernel.published(({ content }) => String(content.text).includes(message), 'the error');
    assert.equal(error.parentHeader.msg_id, cell);
    assert.match(plain(error.content.text), /Cell \[\d+\], line \d, column \d+/);
  }
  await kernel.published(({ content }) => String(content.text).includes('all are called'), 'the other handler');
  move(id, { value: 2 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await kernel.request('control', 'interrupt_request');
  assert.equal(await kernel.run('wild.value'), '2');
});

test('nonsense from a front end changes nothing', async () => {
  const id = shown(await kernel.execute('const calm = FloatSlider({ value: 1, max: 2 }); calm'));
  for (const data of [null, 1, 'x', [], {}, { method: 'update' }, { method: 'update', state: 3, buffer_paths: [[]] }])
    send(id, data as object, [Buffer.from([1])]);
  send(id, { method: 'update', state: {}, buffer_paths: [['__proto__', 'polluted'], ['value', 'a', 'b'], [3]] }, [
    Buffer.from([1]),
    Buffer.from([1]),
    Buffer.from([1]),
  ]);
  await handled(move(id, { value: 'much' }));
  await handled(move(id, { value: null }));
  send('nobody', { method: 'update', state: { value: 1 } });
  assert.equal(await kernel.run('calm.value + String(({} as any).polluted)'), "'1undefined'");
});

test('a slider weighs a reward in a run in progress from its next step, and follows what else changes it', async () => {
  await kernel.run(`import { FastLanguageModel, GRPOTrainer } from 'joylab';
const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 64 });
const args = { maxSteps: 100_000, numGenerations: 4, maxCompletionLength: 6, learningRate: 0 };
const trainer = new GRPOTrainer({ model: FastLanguageModel.getPeftModel(model, { r: 4 }), processingClass: tokenizer, trainDataset: [{ prompt: 'let' }], args });
rewardRegistry.register('one', () => 1);
rewardRegistry.register('long', ({ completion }) => completion.length, { weight: 3 });`);
  assert.match(
    await kernel.fail("rewardRegistry.weightSlider('lnog')"),
    /no reward function "lnog"\. Registered: one, long/,
  );
  const id = shown(await kernel.execute("const slider = rewardRegistry.weightSlider('one'); slider"));
  const { state } = opened(id).content.data;
  assert.deepEqual([state.value, state.min, state.max, state.step, state.description], [1, 0, 2, 0.05, 'one']);
  assert.equal(await kernel.run("const wide = rewardRegistry.weightSlider('long'); wide.max"), '6');

  const run = kernel.send('shell', 'execute_request', { code: 'await trainer.train();', store_history: true });
  const data = (): TrainingData | undefined =>
    kernel.iopub.findLast(({ content }) => content.data?.[TRAINING_MIME])?.content.data[TRAINING_MIME];
  await kernel.until(() => (data()?.step ?? 0) >= 2, 'two steps');
  for (const [from, to] of [
    [1, 1.5],
    [1.5, 0.25],
  ]) {
    await handled(move(id, { value: to }));
    const mark = `weight of one ${from} → ${to}`;
    await kernel.until(() => data()!.events.some((event) => event.text === mark), mark);
  }
  await kernel.request('control', 'interrupt_request');
  await kernel.finish(run);
  assert.equal(await kernel.run("rewardRegistry.get('one').weight"), '0.25');

  const { outputs } = await kernel.execute("rewardRegistry.setWeight('one', 4)");
  const moved = outputs.find(({ content }) => content.comm_id === id)!;
  assert.deepEqual(moved.content.data.state, { max: 4, value: 4 });
  await kernel.run("rewardRegistry.unregister('one')");
  assert.equal(
    text((await kernel.execute('`${slider.disabled} ${slider.description}`')).outputs),
    "'true one (no longer a reward)'",
  );
});

test('names of widgets and of the browser are known where they are missing', async () => {
  const advice = /Hint: Checkbox comes with joylab, too: import \{ Checkbox \} from 'joylab\/widgets';/;
  assert.match(await kernel.fail('Checkbox({ value: true })'), advice);
  assert.match(await kernel.fail("import { Checkbox } from 'joylab';"), advice);
  assert.match(
    await kernel.fail('document.title'),
    /Hint: A cell runs in Node\.js, which has no document\..*lib="dom"/,
  );
});

test('a cell that was written for Deno runs as it is', async () => {
  shown(
    await kernel.execute(`import { widget as anywidget } from "jsr:@anywidget/deno";
let deno = await anywidget({
  state: { value: 0 },
  render: ({ model, el }) => {
    let button = document.createElement("button");
    button.addEventListener("click", () => {
      model.set("value", model.get("value") + 1);
      model.save_changes();
    });
    el.appendChild(button);
  },
});
deno.set("value", 10);
deno;`),
  );
  assert.match(
    await kernel.fail('widget({ state: { a: 1 }, render({ el }) { document.title = el.titel; } })'),
    /Property 'titel' does not exist on type 'HTMLElement'/,
  );
});
