import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { describe } from '../../kernel/display/describe';
import { TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run("import { clearOutput, display, html, image, md, svg } from 'joylab';");
});
after(() => kernel.stop());

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const plainText = async (value: unknown) => (await describe(value))['text/plain'] as string;
const shown = async (code: string) => (await kernel.execute(code)).outputs;

test('records are a table: numbers to the right, texts escaped, in text too', async () => {
  const bundle = await describe([{ name: 'a<b', score: 1.5 }, { name: 'c', score: 20, extra: { deep: [1] } }]);
  assert.equal(bundle['text/plain'], '   name  score  extra\n0  a<b     1.5\n1  c        20  { deep: [ 1 ] }');
  const html = bundle['text/html'] as string;
  assert.match(html, /<td style="text-align:left[^>]*>a&lt;b<\/td><td style="text-align:right[^>]*>1\.5</);
  assert.doesNotMatch(html, /color|background/);
});

test('a long table is cut in the middle and says its size', async () => {
  const bundle = await describe(Array.from({ length: 1000 }, (_, i) => ({ i, square: i * i })));
  const lines = (bundle['text/plain'] as string).split('\n');
  assert.equal(lines.at(-1), '1000 rows × 2 columns');
  assert.equal(lines.length, 28);
  assert.match(lines[21], /…/);
  assert.match(bundle['text/html'] as string, /<p>1000 rows × 2 columns<\/p>$/);
});

test('arrays of other things are no table', async () => {
  for (const value of [[1, 2], [{}, {}], [{ a: 1 }, { b: 1 }, { c: 1 }], [new Date(0)], [{ a: 1 }, null], []]) {
    assert.deepEqual(Object.keys(await describe(value)), ['text/plain']);
  }
});

test('typed arrays and tensors at a glance', async () => {
  const wave = Float32Array.from({ length: 1000 }, (_, i) => i / 999);
  assert.equal(await plainText(wave), 'Float32Array [1000]\n[0, 0.001001, 0.002002, 0.003003, 0.004004, … 0.996, 0.997, 0.998, 0.999, 1]\nmin 0, max 1, mean 0.5');
  assert.equal(await plainText({ shape: [2, 3], data: new Float32Array([1, 2, 3, 4, NaN, 6.5]) }), 'Tensor float32 [2, 3]\n[1, 2, 3, 4, NaN, 6.5]\nmin 1, max 6.5, mean 3.3, 1 not finite');
  assert.equal(await plainText({ type: 'int64', dims: [20], data: new BigInt64Array(20) }), 'Tensor int64 [20]\n[0n, 0n, 0n, 0n, 0n, … 0n, 0n, 0n, 0n, 0n]\nmin 0, max 0, mean 0');
  assert.equal(await plainText(new Uint8Array(2)), 'Uint8Array(2) [ 0, 0 ]');
  assert.match(await plainText({ dims: [2], get data() { throw new Error('on the GPU'); } }), /dims: \[ 2 \]/);
});

test('values that resist are shown all the same', async () => {
  const circular: Record<string, unknown> = { n: 1 };
  circular.self = circular;
  const trap = () => { throw new Error('trap'); };
  assert.equal(await plainText(circular), '<ref *1> { n: 1, self: [Circular *1] }');
  assert.equal(await plainText({ get a() { return trap(); } }), '{ a: [Getter] }');
  assert.equal(await plainText(new Proxy({ b: 1 }, { get: trap, ownKeys: trap, getPrototypeOf: trap })), '{ b: 1 }');
  assert.match(await plainText(Array.from({ length: 1000 }, (_, i) => i)), /900 more items/);
});

test('promises are printed without what Node.js keeps in them', async () => {
  assert.equal(await kernel.run('[new Promise(() => {}), Promise.resolve(3)]'), '[ Promise { <pending> }, Promise { 3 } ]');
});

test('images: bytes show as what they are', async () => {
  const [bytes] = await shown(`Buffer.from('${PNG}', 'base64')`);
  assert.deepEqual(bytes.content.data, { 'image/png': PNG, 'text/plain': 'image/png, 70 bytes' });
  await kernel.run(`import { writeFileSync } from 'node:fs'; writeFileSync('dot.png', Buffer.from('${PNG}', 'base64'));`);
  const [file] = await shown("image('dot.png')");
  assert.deepEqual(file.content.data, { 'image/png': PNG, 'text/plain': 'dot.png' });
  assert.match(await kernel.fail('image(new Uint8Array(100))'), /TypeError: image\(\) takes the bytes or the path of a PNG, JPEG, GIF or WebP file/);
});

test('md, html and svg are tags and functions', async () => {
  const data = async (code: string) => (await shown(code))[0].content.data;
  assert.equal((await data('md`**${1 + 1}** ${[1, 2]} ${null}`'))['text/markdown'], '**2** 12 ');
  assert.equal((await data("html('<b>x</b>')"))['text/html'], '<b>x</b>');
  assert.equal((await data('svg`<svg/>`'))['image/svg+xml'], '<svg/>');
});

test('a display has a handle that updates it and shows nothing itself', async () => {
  const outputs = await shown("const handle = display('first'); handle.update([{ a: 1 }]); handle");
  assert.deepEqual(outputs.map(({ header }) => header.msg_type), ['display_data', 'update_display_data']);
  assert.equal(outputs[0].content.transient.display_id, outputs[1].content.transient.display_id);
  assert.ok(outputs[1].content.data['text/html']);
});

test('clearOutput clears the cell', async () => {
  const outputs = await shown("console.log('a'); clearOutput({ wait: true }); console.log('b')");
  assert.deepEqual(outputs.map(({ header, content }) => [header.msg_type, content.wait]), [['stream', undefined], ['clear_output', true], ['stream', undefined]]);
});

test('the console: groups, counts, formats, tables, each to its stream', async () => {
  const outputs = await shown("console.group('G'); console.log('%s is %d', 'x', 3, { a: 1 }); console.groupEnd(); console.count(); console.table([{ a: 1 }]); console.debug('d'); process.stdout.write('raw'); console.warn('w'); console.assert(false, 'no')");
  const stream = (name: string) => outputs.filter(({ content }) => content.name === name).map(({ content }) => content.text).join('');
  assert.match(stream('stdout'), /^G\n {2}x is 3 \{ a: 1 \}\ndefault: 1\n┌[^]*d\nraw$/);
  assert.equal(stream('stderr'), 'w\nAssertion failed: no\n');
});

test('100,000 lines arrive whole', async () => {
  const outputs = await shown('for (let i = 0; i < 100_000; i++) console.log(i)');
  const all = outputs.map(({ content }) => content.text).join('');
  assert.equal(all.length, Array.from({ length: 100_000 }, (_, i) => String(i).length + 1).reduce((a, b) => a + b));
  assert.ok(outputs.length < 500, `${outputs.length} messages`);
});
