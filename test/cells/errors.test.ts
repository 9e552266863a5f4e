import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { plain, text, TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start({
    'helper.ts': "interface Padding {}\n\nexport function fails(): never {\n  throw new Error('in the helper');\n}\n",
    'wrong.ts': "export const n: number = 'text';\n",
    'node_modules/calls/index.js': 'exports.call = (f) => f();\nexports.read = (x) => x.y.z;\n',
  });
});
after(() => kernel.stop());

const frames = (traceback: string) => traceback.split('\n').filter((line) => line.startsWith('    at '));

/** Runs a cell that fails; returns its number and its traceback without colours. */
async function failing(code: string): Promise<{ cell: string; error: string }> {
  const { reply } = await kernel.execute(code);
  assert.equal(reply.content.status, 'error');
  return { cell: `Cell [${reply.content.execution_count}]`, error: plain(reply.content.traceback.join('\n')) };
}

test('an error in a function of another cell names both cells, also after an await', async () => {
  const first = await kernel.execute(
    'async function outer() {\n  await null;\n  return inner();\n}\nfunction inner(): never {\n  throw new RangeError("deep");\n}',
  );
  const declared = `Cell [${first.reply.content.execution_count}]`;
  const { cell, error } = await failing('// a comment\nawait outer();');
  assert.deepEqual(frames(error), [
    `    at inner (${declared}, line 6, column 9)`,
    `    at outer (${declared}, line 3, column 10)`,
    `    at (${cell}, line 2, column 1)`,
  ]);
  assert.match(error, /^RangeError: deep\n\n {2}4 \| }\n {2}5 \| function inner\(\): never {\n> 6 \| {3}throw/);
});

test('all problems come before anything runs, each with its place', async () => {
  const { cell, error } = await failing("console.log('ran');\nconst a: number = 'x'; const b: string = 5;\nnothing();");
  assert.deepEqual(error.match(/Cell \[\d+\], line \d+, column \d+: error TS\d+/g), [
    `${cell}, line 2, column 7: error TS2322`,
    `${cell}, line 2, column 30: error TS2322`,
    `${cell}, line 3, column 1: error TS2304`,
  ]);
  assert.ok(!kernel.iopub.some(({ content }) => content.text === 'ran\n'));
});

test('names and values for programs: ename, evalue without colours', async () => {
  const named = async (code: string) => {
    const { content } = (await kernel.execute(code)).reply;
    return [content.ename, content.evalue];
  };
  assert.deepEqual(await named("throw new TypeError('plain')"), ['TypeError', 'plain']);
  assert.deepEqual(await named("class OwnError extends Error {} throw new OwnError('mine')"), ['OwnError', 'mine']);
  assert.deepEqual(await named('const a: number = "x"'), [
    'TypeScriptError',
    "line 1: Type 'string' is not assignable to type 'number'.",
  ]);
  assert.deepEqual(await named('const a = ;'), ['SyntaxError', 'line 1: Expression expected.']);
  assert.deepEqual(await named('throw { code: 5 }'), ['Thrown', '{ code: 5 }']);
});

test('causes, AggregateError, details', async () => {
  const { error } = await failing(
    "throw Object.assign(new Error('outer', { cause: new TypeError('root') }), { code: 'E1' })",
  );
  assert.match(error, /^Error: outer[^]*{ code: 'E1' }\n\nCaused by:\nTypeError: root/);
  const several = await failing(
    "await Promise.any([Promise.reject(new Error('one')), Promise.reject(new TypeError('two'))])",
  );
  assert.match(
    several.error,
    /^AggregateError: All promises were rejected[^]*Error 1 of 2:\nError: one[^]*Error 2 of 2:\nTypeError: two/,
  );
});

test('a stack overflow is one line of a function that calls itself', async () => {
  const { cell, error } = await failing('function deep(n: number): number { return deep(n + 1) + 1; }\ndeep(0)');
  assert.match(error, /^RangeError: Maximum call stack size exceeded/);
  assert.match(error, /at deep \(Cell \[\d+\], line 1, column \d+\) … \d+ times/);
  assert.ok(frames(error).length < 5 && error.includes(cell));
  assert.equal(await kernel.run('1'), '1');
});

test('more memory than there is is an error', async () => {
  assert.match(await kernel.fail('new Array(2 ** 32)'), /RangeError: Invalid array length/);
  assert.match(await kernel.fail('new Float64Array(2 ** 50)'), /RangeError/);
  assert.equal(await kernel.run('1'), '1');
});

test('an error in a package is shown where the cell calls it', async () => {
  const { cell, error } = await failing("import { call, read } from 'calls';\nread({});");
  assert.deepEqual(frames(error), [`    at (${cell}, line 2, column 1)`]);
  assert.match(error, /> 2 \| read\({}\);/);
  const back = await failing('call(() => { throw new Error("back"); })');
  assert.equal(frames(back.error).length, 2);
});

test('an error in a file of the user names the file and its line', async () => {
  const { cell, error } = await failing("import { fails } from './helper';\nfails();");
  assert.deepEqual(frames(error), ['    at fails (helper.ts, line 4, column 9)', `    at (${cell}, line 2, column 1)`]);
  assert.match(error, /> 4 \| {3}throw new Error\('in the helper'\);/);
});

test('a type error in a file that is imported stops the cell, at its place in the file', async () => {
  const { error } = await failing("import { n } from './wrong';");
  assert.match(error, /^wrong\.ts, line 1, column 14: error TS2322[^]*> 1 \| export const n: number = 'text';/);
});

test('exceptions that nothing caught are shown in their cell, with its lines', async () => {
  const { reply } = await kernel.execute(
    "setTimeout(() => {\n  throw new Error('in a timer');\n}, 5);\nvoid Promise.reject(new Error('in a promise'));",
  );
  const cell = `Cell [${reply.content.execution_count}]`;
  for (const [what, line] of [
    ['in a timer', 2],
    ['in a promise', 4],
  ] as const) {
    // The lines around the one that failed are shown, too: the words of the other are among them.
    const shown = await kernel.published(
      (it) =>
        it.parentHeader.msg_id === reply.parentHeader.msg_id &&
        plain(String(it.content.text)).includes(`Error: ${what}`),
      what,
    );
    assert.ok(plain(shown.content.text).includes(`(${cell}, line ${line}`), shown.content.text);
  }
});

test('a stack that is printed speaks of cells, too', async () => {
  const { outputs, reply } = await kernel.execute("// first\nconsole.log(new Error('printed').stack)");
  assert.equal(text(outputs), `Error: printed\n    at (Cell [${reply.content.execution_count}], line 2, column 13)\n`);
});

test('a module that is not there is pointed at', async () => {
  assert.match(
    await kernel.fail("const a = 1;\nimport './missing';"),
    /line 2, column 8: error TS2307: Cannot find module '\.\/missing'/,
  );
  const { error } = await failing("await import('no-such-package' as string)");
  assert.match(error, /^Error: Cannot find module 'no-such-package'\n/);
  assert.doesNotMatch(error, /Require stack/);
});

/** Calls that no overload fits, what is said, and the text that is marked. */
const OVERLOADS: Array<[code: string, told: string, marked: string]> = [
  [
    "import { openenv } from 'joylab'; openenv('atari', { game: 'brekout' });",
    `TS2820: Type '"brekout"' is not assignable to type '"adventure" | "air_raid" | "alien" | …'. Did you mean '"breakout"'?`,
    'game',
  ],
  ["/** @openenv */\nconst env = await openenv('atari', { game: 'pnog' });", `Did you mean '"pong"'?`, 'game'],
  [
    "import { openenv } from 'joylab'; openenv('atri', { game: 'breakout' });",
    `TS2345: Argument of type '"atri"' is not assignable to parameter of type '"atari"'. Did you mean '"atari"'?`,
    "'atri'",
  ],
  [
    "import { openenv } from 'joylab'; openenv('atari', { gme: 'breakout' });",
    "'gme' does not exist in type 'AtariOpenOptions'. Did you mean to write 'game'? Valid: messageTimeout, game,",
    'gme',
  ],
  ["two.m('y', { j: 3 });", "TS2322: Type 'number' is not assignable to type 'string'.", 'j'],
  [
    "[3].map((x) => { two.m('y', { j: '' }); return two?.m('x', { k: `${x}` }); });",
    "TS2322: Type 'string' is not assignable to type 'number'.",
    'k',
  ],
  ["new Map([['a', 1], ['b', 'x']]);", "TS2322: Type 'string' is not assignable to type 'number'.", "'x'"],
  [
    "process.getBuiltinModule('node:fs').readFile('x', { encoding: 'utf-9' }, () => {});",
    `Did you mean '"utf-8"'?`,
    'encoding',
  ],
];

test('of overloads that do not fit, the one is told that was meant, in a few lines, at its place', async () => {
  await kernel.run(
    "class Two { m(a: 'x', o: { k: number }): void; m(a: 'y', o: { j: string }): void; m(...rest: any[]) {} }\nconst two = new Two();",
  );
  for (const [code, told, marked] of OVERLOADS) {
    const error = await kernel.fail(code);
    assert.ok(error.includes(told), `${code}\n${error}`);
    assert.ok(error.split('\n').length <= 8, error);
    const [, line, carets] = /^> \d+ \| (.*)\n +\| ( *\^+)$/m.exec(error)!;
    assert.equal(line.slice(carets.indexOf('^'), carets.length), marked, error);
  }
  assert.equal(await kernel.run("two.m('y', { j: '' }); two.m('x', { k: 1 }); 'both fit'"), "'both fit'");
});

test('a value that is none of those allowed, but similar to one, says which', async () => {
  await kernel.run(
    "function play(mode: 'fast' | 'slow') {}\nfunction only(name: 'abc') {}\nconst short = (letter: 'a' | 'b') => {};",
  );
  assert.match(await kernel.fail("play('fsat')"), /Did you mean '"fast"'\? Valid: "fast", "slow"\./);
  assert.match(await kernel.fail("only('abd')"), /Did you mean '"abc"'\?/);
  assert.doesNotMatch(await kernel.fail("play('quick')"), /Did you mean/);
  assert.doesNotMatch(await kernel.fail("short('c' as 'c')"), /Did you mean/);
  assert.match(
    await kernel.fail("/** @grpo */\nconst config: GRPOConfig = { lossType: 'drgpo' };"),
    /Did you mean '"dr_grpo"'\?/,
  );
});

/** Cells with JSX, and the text that is marked. */
const JSX: Array<[code: string, marked: string]> = [
  ['const element = <div className="a">hi {kept}</div>; element', '<div'],
  ['const id = <T>(x: T) => x;\nconst list = <ul>{[1].map((x) => <li key={x}/>)}</ul>;', '<ul'],
  ['<><b>x</b></>', '<'],
  ['function App() { return <Foo.Bar a={1} {...{}} />; }', '<Foo.Bar'],
  ['1 < 2;\n<br/>', '<br'],
];

test('JSX is told as what it is, where it is', async () => {
  for (const [code, marked] of JSX) {
    const error = await kernel.fail(code);
    assert.match(
      error,
      /JSX \(<[\w.]*>\) is not understood in a cell: nothing is there that would render it\. For markup write html`/,
      code,
    );
    const [, line, carets] = /^> \d+ \| (.*)\n +\| ( *\^+)$/m.exec(error)!;
    assert.equal(line.slice(carets.indexOf('^'), carets.length), marked, error);
  }
  for (const code of [
    'const asserted = <number>(1 as any); const generic = <T,>(x: T) => x; const less = asserted < 2 && 3 > asserted; undefined',
    "const text = '<b>c</b>'; undefined",
    'const lambda = <T>(x: T): Array<T> => [x]; undefined',
  ]) {
    assert.equal(await kernel.run(code), '', code);
  }
  assert.match(await kernel.fail('let bad = = 3; // <b>x</b>'), /error TS1109: Expression expected/);
  assert.match(await kernel.fail('const open = <div>text'), /Hint: JSX \(<div>\) is not understood in a cell/);
  assert.match(await kernel.fail('const re = /(/;\nconst s = `<b>x</b>`'), /TS1005/);
});

test('what newcomers write gets a hint', async () => {
  const hint = async (code: string) => /^Hint: .*$/m.exec(await kernel.fail(code))?.[0] ?? '';
  assert.equal(await hint("print('x')"), "Hint: Python's print is console.log(…) here.");
  assert.equal(
    await hint("const env = await openenv('atari', { game: 'pong' });"),
    "Hint: openenv comes with joylab: import { openenv } from 'joylab';",
  );
  assert.match(
    await hint('!ls -l'),
    /^Hint: Cells are TypeScript\. To run a program: .*execSync\("ls -l", { stdio: 'inherit' }\);$/,
  );
  assert.match(await hint('%pip install numpy'), /execSync\("pip install numpy"/);
  assert.match(await hint('pip install numpy'), /execSync\("pip install numpy"/);
  assert.equal(await hint('%time 1'), 'Hint: Cells are TypeScript: there are no % commands.');
  assert.equal(await hint('for i in range(10):\n    print(i)'), 'Hint: This reads like Python: cells are TypeScript.');
  assert.equal(await hint("import fs from 'fs/promise';"), "Hint: Did you mean 'fs/promises'?");
  assert.match(await hint("import x from '@scope/package/file';"), /execSync\('npm install @scope\/package'/);
  assert.equal(await hint("import x from './nowhere';"), '');
  assert.equal(await hint('const a = ;'), '');
  assert.equal(await hint('newcomer = 5'), 'Hint: A variable is declared before it is used: let newcomer = …;');
  assert.equal(
    await hint('%cd data/sets'),
    'Hint: Cells are TypeScript. To change the folder: process.chdir("data/sets");',
  );
  assert.equal(await hint('cd data'), 'Hint: Cells are TypeScript. To change the folder: process.chdir("data");');
  assert.equal(await hint('const g = f"{1}"'), 'Hint: Python\'s f"{x}" is `${x}` here, between backticks.');
  assert.equal(await hint('?Math'), 'Hint: For documentation press Shift+Tab behind a name.');
  assert.equal(await hint('help(Math)'), "Hint: Python's help is Shift+Tab behind a name here.");
});
