import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { describe } from '../../kernel/display/describe';
import { text, TestKernel } from '../jupyter/client';

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
  const bundle = await describe([
    { name: 'a<b', score: 1.5 },
    { name: 'c', score: 20 / 3, extra: { deep: [1] } },
  ]);
  assert.equal(bundle['text/plain'], '   name    score  extra\n0  a<b       1.5\n1  c     6.66667  { deep: [ 1 ] }');
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

test('a table of millions shows at once', async () => {
  const bundle = await describe(Array.from({ length: 3e6 }).fill({ a: 1 }));
  assert.match(bundle['text/plain'] as string, /3000000 rows × 1 columns$/);
});

test('arrays of other things are no table', async () => {
  for (const value of [[1, 2], [{}, {}], [{ a: 1 }, { b: 1 }, { c: 1 }], [new Date(0)], [{ a: 1 }, null], []]) {
    assert.deepEqual(Object.keys(await describe(value)), ['text/plain']);
  }
});

test('typed arrays and tensors at a glance', async () => {
  const wave = Float32Array.from({ length: 1000 }, (_, i) => i / 999);
  assert.equal(
    await plainText(wave),
    'Float32Array [1000]\n[0, 0.001001, 0.002002, 0.003003, 0.004004, … 0.996, 0.997, 0.998, 0.999, 1]\nmin 0, max 1, mean 0.5',
  );
  assert.equal(
    await plainText({ shape: [2, 3], data: new Float32Array([1, 2, 3, 4, NaN, 6.5]) }),
    'Tensor float32 [2, 3]\n[1, 2, 3, 4, NaN, 6.5]\nmin 1, max 6.5, mean 3.3, 1 not finite',
  );
  assert.equal(
    await plainText({ type: 'int64', dims: [20], data: new BigInt64Array(20) }),
    'Tensor int64 [20]\n[0n, 0n, 0n, 0n, 0n, … 0n, 0n, 0n, 0n, 0n]\nmin 0, max 0, mean 0',
  );
  assert.equal(await plainText(new Uint8Array(2)), 'Uint8Array(2) [ 0, 0 ]');
  assert.match(
    await plainText({
      dims: [2],
      get data() {
        throw new Error('on the GPU');
      },
    }),
    /dims: \[ 2 \]/,
  );
});

test('values that resist are shown all the same', async () => {
  const circular: Record<string, unknown> = { n: 1 };
  circular.self = circular;
  const trap = () => {
    throw new Error('trap');
  };
  assert.equal(await plainText(circular), '<ref *1> { n: 1, self: [Circular *1] }');
  assert.equal(
    await plainText({
      get a() {
        return trap();
      },
    }),
    '{ a: [Getter] }',
  );
  assert.equal(await plainText(new Proxy({ b: 1 }, { get: trap, ownKeys: trap, getPrototypeOf: trap })), '{ b: 1 }');
  assert.match(await plainText(Array.from({ length: 1000 }, (_, i) => i)), /900 more items/);
});

test('promises and timers are printed without what Node.js keeps in them', async () => {
  assert.equal(
    await kernel.run('const timer = setTimeout(() => {}, 20); [timer, setImmediate(() => {})]'),
    '[ Timeout (20 ms), Immediate ]',
  );
  assert.equal(
    await kernel.run('[new Promise(() => {}), Promise.resolve(3)]'),
    '[ Promise { <pending> }, Promise { 3 } ]',
  );
});

test('images: bytes show as what they are', async () => {
  const [bytes] = await shown(`Buffer.from('${PNG}', 'base64')`);
  assert.deepEqual(bytes.content.data, { 'image/png': PNG, 'text/plain': 'image/png, 70 bytes' });
  await kernel.run(
    `import { writeFileSync } from 'node:fs'; writeFileSync('dot.png', Buffer.from('${PNG}', 'base64'));`,
  );
  const [file] = await shown("image('dot.png')");
  assert.deepEqual(file.content.data, { 'image/png': PNG, 'text/plain': 'dot.png' });
  assert.match(
    await kernel.fail('image(new Uint8Array(100))'),
    /TypeError: image\(\) takes the bytes or the path of a PNG, JPEG, GIF or WebP file/,
  );
});

test('images take a size', async () => {
  const [sized] = await shown("image('dot.png', { width: 200, height: 100 })");
  assert.deepEqual(sized.content.metadata, { 'image/png': { width: 200, height: 100 } });
  const [displayed] = await shown(
    "display(image('dot.png', { width: 50 }), { metadata: { 'text/plain': { x: 1 } } });",
  );
  assert.deepEqual(displayed.content.metadata, { 'image/png': { width: 50 }, 'text/plain': { x: 1 } });
  await kernel.run(
    `writeFileSync('dot.svg', '<?xml version="1.0"?>\\n<svg xmlns="http://www.w3.org/2000/svg" width="20px" height="10"><rect/></svg>');`,
  );
  const [vector] = await shown("image('dot.svg', { width: 300 })");
  assert.match(vector.content.data['image/svg+xml'], /<svg width="300" viewBox="0 0 20 10" xmlns="[^"]*"><rect\/>/);
  assert.match(
    await kernel.fail("image('dot.png', { width: -1 })"),
    /image\(\): width is a number of pixels above 0, not -1/,
  );
  assert.match(
    await kernel.fail("image('dot.png', { size: 1 } as {})"),
    /image\(\) has no option size\. Valid: width, height\./,
  );
});

test('md, html and svg are tags and functions', async () => {
  const data = async (code: string) => (await shown(code))[0].content.data;
  assert.equal((await data('md`**${1 + 1}** ${[1, 2]} ${null}`'))['text/markdown'], '**2** 12 ');
  assert.equal((await data("html('<b>x</b>')"))['text/html'], '<b>x</b>');
  assert.equal((await data('svg`<svg/>`'))['image/svg+xml'], '<svg/>');
});

test('a display has a handle that updates it and shows nothing itself', async () => {
  const outputs = await shown("const handle = display('first'); handle.update([{ a: 1 }]); handle");
  assert.deepEqual(
    outputs.map(({ header }) => header.msg_type),
    ['display_data', 'update_display_data'],
  );
  assert.equal(outputs[0].content.transient.display_id, outputs[1].content.transient.display_id);
  assert.ok(outputs[1].content.data['text/html']);
});

test('an output of an earlier cell is updated from a later one, and from a timer', async () => {
  const first = await shown("const bar = display(md`0 %`, { displayId: 'bar' });");
  assert.equal(first[0].content.transient.display_id, 'bar');
  const second = await shown(
    'bar.update(md`50 %`);\nlet finish = () => {};\nvoid new Promise<void>((resolve) => (finish = resolve)).then(() => setTimeout(() => bar.update(md`100 %`, { metadata: { done: true } }), 1));',
  );
  assert.deepEqual(
    second.map(({ header, content }) => [header.msg_type, content.transient.display_id, content.data['text/markdown']]),
    [['update_display_data', 'bar', '50 %']],
  );
  await kernel.run('finish();');
  const late = await kernel.published((it) => it.content.data?.['text/markdown'] === '100 %', 'the late update');
  assert.deepEqual(
    [late.header.msg_type, late.content.transient.display_id, late.content.metadata],
    ['update_display_data', 'bar', { done: true }],
  );
  assert.equal(late.parentHeader.msg_id, second[0].parentHeader.msg_id);
});

test("clearOutput of an earlier cell's timer clears that cell", async () => {
  const { reply } = await kernel.execute(
    "let clear = () => {}; const released = new Promise<void>((resolve) => (clear = resolve)); void released.then(() => setTimeout(() => { clearOutput({ wait: true }); display('new'); }, 1));",
  );
  await kernel.run('clear();');
  const cleared = await kernel.published(
    (it) => it.header.msg_type === 'clear_output' && it.parentHeader.msg_id === reply.parentHeader.msg_id,
    'clear_output',
  );
  assert.equal(cleared.content.wait, true);
  await kernel.published(
    (it) => it.content.data?.['text/plain'] === 'new' && it.parentHeader.msg_id === reply.parentHeader.msg_id,
    'the new output',
  );
});

test('clearOutput clears the cell', async () => {
  const outputs = await shown("console.log('a'); clearOutput({ wait: true }); console.log('b')");
  assert.deepEqual(
    outputs.map(({ header, content }) => [header.msg_type, content.wait]),
    [
      ['stream', undefined],
      ['clear_output', true],
      ['stream', undefined],
    ],
  );
});

test('the console: groups, counts, formats, each to its stream', async () => {
  const outputs = await shown(
    "console.group('G'); console.log('%s is %d', 'x', 3, { a: 1 }); console.groupEnd(); console.count(); console.debug('d'); process.stdout.write('raw'); console.warn('w'); console.assert(false, 'no')",
  );
  const stream = (name: string) =>
    outputs
      .filter(({ content }) => content.name === name)
      .map(({ content }) => content.text)
      .join('');
  assert.match(stream('stdout'), /^G\n {2}x is 3 \{ a: 1 \}\ndefault: 1\nd\nraw$/);
  assert.equal(stream('stderr'), 'w\nAssertion failed: no\n');
});

test('characters that are written in parts are whole', async () => {
  const { outputs } = await kernel.execute(
    "for (const byte of Buffer.from('aé🎈')) process.stdout.write(Uint8Array.of(byte)); process.stdout.write('c3b6', 'hex'); console.log();",
  );
  assert.equal(text(outputs), 'aé🎈ö\n');
});

test('console.table shows a table of anything that has rows', async () => {
  const table = async (code: string) =>
    (await shown(code)).map(({ content }) => content.text ?? content.data['text/plain']);
  assert.deepEqual(
    await table("console.log('before'); console.table([{ a: 1, b: 'x' }, { a: 20 }]); console.log('after')"),
    ['before\n', '    a  b\n0   1  x\n1  20', 'after\n'],
  );
  assert.deepEqual(await table('console.table({ first: { a: 1 }, second: { a: 2, b: [3] } })'), [
    '        a  b\nfirst   1\nsecond  2  [ 3 ]',
  ]);
  assert.deepEqual(await table("console.table([[1, 2], [3, 4]], ['1'])"), ['   1\n0  2\n1  4']);
  assert.deepEqual(await table("console.table(new Map([['key', { a: 1 }]]))"), ['   Key  Values\n0  key  { a: 1 }']);
  assert.deepEqual(await table("console.table(['p', 'q'])"), ['   Values\n0  p\n1  q']);
  assert.deepEqual(await table("console.table('no rows')"), ['no rows\n']);
  assert.match((await shown('console.table([{ a: 1 }])'))[0].content.data['text/html'], /^<table/);
  assert.match(
    (await table('console.table(Array.from({ length: 5000 }, (_, i) => ({ i })))'))[0],
    /5000 rows × 1 columns$/,
  );
});

test('100,000 lines arrive whole', async () => {
  const start = performance.now();
  const outputs = await shown('for (let i = 0; i < 100_000; i++) console.log(i)');
  // What is printed within 15 ms is one message, or several where it is much.
  const most = 20 + (performance.now() - start) / 10;
  const all = outputs.map(({ content }) => content.text).join('');
  assert.equal(
    all.length,
    Array.from({ length: 100_000 }, (_, i) => String(i).length + 1).reduce((a, b) => a + b),
  );
  assert.ok(outputs.length <= most, `${outputs.length} messages, not ${most}`);
});

test('an SVG picture is also an image in HTML, which viewers show in notebooks that are not trusted, and described in words', async () => {
  const data = async (code: string) => (await shown(code)).at(-1)!.content.data;
  const source = (html: string) =>
    Buffer.from(/^<img alt="[^"]*" src="data:image\/svg\+xml;base64,([^"]+)">$/.exec(html)![1], 'base64').toString();
  const picture = (attributes: string, inside = '<rect width="9" height="9"/>') =>
    `<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>${inside}</svg>`;
  const sized = picture('width="120" height="40"');
  const cases: Array<[code: string, text: string, svg?: string]> = [
    ['svg`' + sized + '`', 'SVG picture, 120 × 40', sized],
    [`display(svg('${sized}'));`, 'SVG picture, 120 × 40', sized],
    [`svg('${picture('viewBox="0 0 1 1"', '<title>A &lt; B</title><g/>')}')`, 'SVG picture: A < B'],
    [
      `svg('<svg><circle r="5"/></svg>')`,
      'SVG picture',
      '<svg xmlns="http://www.w3.org/2000/svg"><circle r="5"/></svg>',
    ],
    [`svg('<?xml version="1.0"?><!-- a --><!DOCTYPE svg>${sized}')`, 'SVG picture, 120 × 40'],
    [`({ [Symbol.for('Jupyter.display')]: () => ({ 'image/svg+xml': '${sized}' }) })`, 'SVG picture, 120 × 40', sized],
    [`({ 'image/svg+xml': '${sized}', 'text/plain': 'a bar' })`, 'a bar', sized],
    [`display({ 'image/svg+xml': '${sized}', 'text/plain': '${sized}' });`, 'SVG picture, 120 × 40', sized],
    [`image(Buffer.from('${sized}'))`, 'SVG picture, 120 × 40', sized],
    [`image(Buffer.from('${sized}'), { alt: 'a "bar"' })`, 'a "bar"', sized],
    [`Buffer.from('\\uFEFF${sized}')`, 'SVG picture, 120 × 40'],
    [`writeFileSync('bar.svg', '${sized}'); image('bar.svg')`, 'bar.svg', sized],
  ];
  for (const [code, text, svg] of cases) {
    const bundle = await data(code);
    assert.equal(bundle['text/plain'], text, code);
    const shownPicture = source(bundle['text/html']);
    if (svg !== undefined) assert.equal(shownPicture, svg, code);
    assert.match(bundle['image/svg+xml'], /<svg/, code);
  }
  const own = await data(`({ 'image/svg+xml': '${sized}', 'text/html': '<b>mine</b>', 'text/plain': 'x' })`);
  assert.deepEqual([own['text/html'], own['text/plain']], ['<b>mine</b>', 'x']);
  assert.equal(
    (await data(`({ 'image/svg+xml': '${sized}', 'image/png': '${PNG}' })`))['text/html'],
    undefined,
    'the other picture is shown',
  );
});

test('images have a description', async () => {
  const [file] = await shown("image('dot.png', { alt: 'a dot', width: 10 })");
  assert.deepEqual(
    [file.content.metadata, file.content.data['text/plain']],
    [{ 'image/png': { width: 10, alt: 'a dot' } }, 'a dot'],
  );
});
