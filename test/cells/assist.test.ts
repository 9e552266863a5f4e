import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start({ 'helper.ts': 'export const shout = (text: string) => text;', 'sub/other.ts': '' });
  await kernel.run(`/**
 * Adds numbers.
 * @param a the first
 * @param b the second
 * @returns the sum
 */
function add(a: number, b: number) { return a + b; }
interface Options {
  mode: 'fast' | 'slow';
  /** How deep it goes. */
  depth?: number;
}
const options: Options = { mode: 'fast' };
const data: any = JSON.parse('{ "learning": { "rate": 1, "steps": 2 } }');`);
});
after(() => kernel.stop());

/** Completes at the bar; returns the whole code with the first match in place, and the matches. */
async function complete(marked: string): Promise<{ matches: string[]; first: string; types: string[] }> {
  const code = marked.replace('|', '');
  const points = [...code];
  const { content } = await kernel.request('shell', 'complete_request', {
    code,
    cursor_pos: [...marked.slice(0, marked.indexOf('|'))].length,
  });
  const first =
    points.slice(0, content.cursor_start).join('') +
    (content.matches[0] ?? '') +
    points.slice(content.cursor_end).join('');
  return {
    matches: content.matches,
    first,
    types: (content.metadata._jupyter_types_experimental ?? []).map(({ type }: { type: string }) => type),
  };
}

async function inspect(marked: string, detail_level = 0): Promise<Record<string, string> | null> {
  const { content } = await kernel.request('shell', 'inspect_request', {
    code: marked.replace('|', ''),
    cursor_pos: marked.indexOf('|'),
    detail_level,
  });
  return content.found ? content.data : null;
}

test("completion: the notebook's names come first", async () => {
  assert.deepEqual((await complete('console.log(ad|')).matches, ['add']);
  assert.equal((await complete('console.log(|')).matches[0], 'add');
  assert.deepEqual((await complete('options.|')).matches, ['depth', 'mode']);
  assert.deepEqual(await complete('options.mo|de + 1'), {
    matches: ['mode'],
    first: 'options.mode + 1',
    types: ['property'],
  });
});

test('completion of keys, string literals, imports and paths', async () => {
  assert.deepEqual((await complete('const o: Options = { | }')).matches, ['mode', 'depth']);
  assert.equal((await complete("const o: Options = { mode: '|' }")).first, "const o: Options = { mode: 'fast' }");
  assert.equal((await complete("options.mode = 's|'")).first, "options.mode = 'slow'");
  assert.equal((await complete("import { sh| } from './helper'")).first, "import { shout } from './helper'");
  assert.ok((await complete("import {} from './|'")).matches.includes('helper'));
  assert.equal((await complete("import {} from 'node:fs/p|'")).first, "import {} from 'node:fs/promises'");
  assert.ok((await complete("import {} from 'joy|'")).matches.includes('joylab'));
  assert.ok(
    (await complete("import { openenv } from 'joylab'; await openenv('atari', { game: 'brea|' })")).matches.includes(
      'breakout',
    ),
  );
});

test('completion in broken code, after emoji, in templates', async () => {
  assert.equal((await complete("if (true) { const face = '😀'; [1].map(x => x.toFix|")).matches[0], 'toFixed');
  assert.equal((await complete("const s = '😀😀'; s.toUpperC|ase()")).first, "const s = '😀😀'; s.toUpperCase()");
  assert.equal((await complete('`${ad|}`')).first, '`${add}`');
  assert.deepEqual((await complete('// a comment |')).matches, []);
});

test("completion in a cell with a directive knows joylab's names", async () => {
  assert.deepEqual((await complete('/** @grpo */\nconst config: GRPOConf|')).matches, ['GRPOConfig']);
  assert.equal(
    (await complete("/** @grpo */\nconst config: GRPOConfig = { lossType: 'dr|' }")).first,
    "/** @grpo */\nconst config: GRPOConfig = { lossType: 'dr_grpo' }",
  );
  assert.equal(
    (await complete('/** @reward */\nfunction f(sample: Sample) { return sample.epi| }')).matches[0],
    'episode',
  );
});

test('completion of values whose type says nothing, without running their code', async () => {
  assert.deepEqual((await complete('data.learning.|')).matches, ['rate', 'steps']);
  await kernel.run("const trap: any = { get inner() { console.log('asked'); return {}; } };");
  assert.deepEqual((await complete('trap.inner.|')).matches, []);
  assert.ok(!kernel.iopub.some(({ content }) => content.text === 'asked\n'));
});

test('completion while a cell awaits leaves the cell alone', async () => {
  await kernel.run(`
    import { cellContext } from '${require.resolve('../../kernel/display/cellContext')}';
    const released = new Promise<number>((resolve) => cellContext().registerCommTarget('test.release', () => resolve(3)));`);
  const id = kernel.send('shell', 'execute_request', { code: 'const slow = await released; slow' });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'execute_input', 'the start');
  assert.equal((await complete('const other = options.dep|')).matches[0], 'depth');
  kernel.send('shell', 'comm_open', { comm_id: 'release', target_name: 'test.release', data: {} });
  await kernel.finish(id);
  assert.equal(await kernel.run('slow + 1'), '4');
});

test('inspection: signature and documentation, as text and as Markdown', async () => {
  const shown = await inspect('ad|d(1, 2)');
  assert.equal(
    shown!['text/plain'],
    'function add(a: number, b: number): number\n\nAdds numbers.\n\n@param a the first\n@param b the second\n@returns the sum',
  );
  assert.match(
    shown!['text/markdown'],
    /^```typescript\nfunction add\(a: number, b: number\): number\n```\n\nAdds numbers\.\n\n- \*param\* `a` the first/,
  );
  assert.match(
    (await inspect('options.depth|'))!['text/plain'],
    /\(property\) Options\.depth\?: number\n\nHow deep it goes\./,
  );
  assert.equal(await inspect('1 + | 2'), null);
});

test('inspection inside a call shows the call, and the parameter that is being written', async () => {
  assert.match(
    (await inspect('add(1, |'))!['text/plain'],
    /^add\(a: number, b: number\): number\n\nAdds numbers\.\n\n@param b the second/,
  );
  assert.match((await inspect('Math.max(1, |2)'))!['text/plain'], /^max\(\.\.\.values: number\[\]\): number/);
});

test('inspection with more detail shows the source: of a cell, a file, a package', async () => {
  const shown = await inspect('ad|d(1, 2)', 1);
  assert.match(
    shown!['text/plain'],
    /^function add[^]*\n\nSource:\nfunction add\(a: number, b: number\) { return a \+ b; }$/,
  );
  assert.match(
    shown!['text/markdown'],
    /\*\*Source\*\*\n\n```typescript\nfunction add\(a: number, b: number\) { return a \+ b; }\n```$/,
  );
  assert.match(
    (await inspect("import { sho|ut } from './helper';", 1))!['text/plain'],
    /Source:\nexport const shout = \(text: string\) => text;$/,
  );
  assert.match((await inspect('let options: Opt|ions', 1))!['text/plain'], /Source:\ninterface Options {\n  mode/);
  assert.match(
    (await inspect("import { GRPOCon|fig } from 'joylab';", 1))!['text/plain'],
    /Source:\nexport interface GRPOConfig \{\n[^]*8 by default; 2 at least\. \*\/\n  numGenerations\?: number;\n[^]*seed\?: number;\n/,
  );
});

test('inspection of what a cell with a directive declares first keeps its documentation', async () => {
  const code =
    '/** How long it lasts. @reward */\nfunction lasts({ episode }: Sample) { return episode?.steps ?? null; }';
  assert.match(
    (await inspect(code.replace('function la', 'function la|')))!['text/plain'],
    /^function lasts\(.*\): number\n\nHow long it lasts\./,
  );
  await kernel.run(code);
  assert.match((await inspect('la|sts'))!['text/plain'], /How long it lasts\./);
});

test("inspection of what is not declared: joylab's names say what they are, others are not found", async () => {
  const found = async (code: string) =>
    (await kernel.request('shell', 'inspect_request', { code, cursor_pos: code.length, detail_level: 0 })).content;
  assert.equal((await found('xyzzy')).found, false);
  assert.match((await found('GRPOTrainer')).data['text/plain'], /class GRPOTrainer/);
});

test('comments and texts complete no keys of values', async () => {
  await kernel.run('var opened: any = JSON.parse(\'{"inner": 1}\');');
  const matches = async (code: string, position = code.length) =>
    (await kernel.request('shell', 'complete_request', { code, cursor_pos: position })).content.matches;
  assert.deepEqual(await matches('opened.'), ['inner']);
  for (const code of ['// opened.', '/* opened.', "'opened.", '1; // opened.'])
    assert.deepEqual(await matches(code), [], code);
  assert.deepEqual(await matches("'opened.'", 8), []);
  assert.deepEqual(await matches('`${opened.}`', 10), ['inner']);
});

test('is_complete: what goes on is indented', async () => {
  const ask = async (code: string) => {
    const { content } = await kernel.request('shell', 'is_complete_request', { code });
    return content.status === 'incomplete' ? [content.indent] : content.status;
  };
  assert.deepEqual(await ask('function f() {'), ['  ']);
  assert.deepEqual(await ask('if (a) {\n  b('), ['    ']);
  assert.deepEqual(await ask('const list = [\n'), ['  ']);
  assert.deepEqual(await ask('const text = `first'), ['']);
  assert.deepEqual(await ask('/* a comment'), ['']);
  assert.deepEqual(await ask('const map: Map<string,'), ['']);
  for (const code of ['x.\n', '1 +\n', 'f(1,\n\n', 'function f() {\n\n'])
    assert.ok(Array.isArray(await ask(code)), code);
  for (const code of ['1', '', '// a comment', 'const x = { a: 1 };', '<T,>(x: T) => x'])
    assert.equal(await ask(code), 'complete', code);
  for (const code of ['}', 'a b', "'unterminated"]) assert.equal(await ask(code), 'invalid', code);
});
