import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { JupyterPrefix } from './prefix';

let jupyter: JupyterPrefix;
before(() => (jupyter = new JupyterPrefix()));
after(() => jupyter.remove());

const PARAMETERS = ['maxSteps', '2', 'game', 'pong', 'rate', '3e-3', 'dry', 'False', 'nothing', 'None'];

test('papermill sets parameters, with their literal types', { timeout: 300_000 }, () => {
  jupyter.write('parameters.ipynb', [
    { source: "const maxSteps: number = 60; // steps of training\nconst game = 'breakout';", tags: ['parameters'] },
    "const allowed: 'breakout' | 'pong' = game;\n[maxSteps, allowed, rate, dry, nothing, list, nested]",
  ]);
  const pairs = Array.from({ length: PARAMETERS.length / 2 }, (_, i) => [
    '-p',
    ...PARAMETERS.slice(2 * i, 2 * i + 2),
  ]).flat();
  jupyter.python(
    '-m',
    'papermill',
    'parameters.ipynb',
    'out.ipynb',
    '--no-progress-bar',
    ...pairs,
    '-y',
    'list: [1, "ünï \\"q\\" 😀"]',
    '-y',
    'nested: {"a b": {"c": [true]}}',
  );
  const { cells } = jupyter.read('out.ipynb');
  assert.deepEqual(cells[1].metadata.tags, ['injected-parameters']);
  assert.match(
    cells[1].source.join(''),
    /^\/\/ Parameters\n(const \w+ = .*;\n){2}const maxSteps: number = 2;\n(const \w+ = .*;\n){4}$/,
  );
  const result = cells[2].outputs[0].data['text/plain'].join('').replace(/\s+/g, ' ');
  assert.equal(result, `[ 2, 'pong', 0.003, false, null, [ 1, 'ünï "q" 😀' ], { 'a b': { c: [Array] } } ]`);
});

test('papermill says which parameters a notebook has', { timeout: 300_000 }, () => {
  const help = jupyter.python('-m', 'papermill', '--help-notebook', 'parameters.ipynb');
  assert.match(help, /maxSteps: number \(default 60\)\s+steps of training/);
  assert.match(help, /game: Unknown type \(default 'breakout'\)/);
});

test('a parameter keeps the let and the type that it was declared with', { timeout: 300_000 }, () => {
  jupyter.write('declared.ipynb', [
    {
      source:
        'let lr = 1e-3, steps: number = 5; // of training\nconst label: string | null = null;\nconst seeds: number[] = [1, 2];\nlet seed: bigint = 0n;',
      tags: ['parameters'],
    },
    'lr = lr * 2;\nsteps += 1;\nconst type: string | null = label;\n[lr, steps, label?.toUpperCase(), seeds.map((it) => it + 1), seed * 2n]',
  ]);
  jupyter.python(
    '-m',
    'papermill',
    'declared.ipynb',
    'out.ipynb',
    '--no-progress-bar',
    '-p',
    'lr',
    '0.5',
    '-r',
    'label',
    'run',
    '-y',
    '{ seeds: [3], seed: 12345678901234567890, steps: 7 }',
  );
  const { cells } = jupyter.read('out.ipynb');
  assert.equal(
    cells[1].source.join(''),
    '// Parameters\nconst seeds: number[] = [3];\nlet seed: bigint = 12345678901234567890n;\nlet steps: number = 7;\nlet lr = 0.5;\nconst label: string | null = "run";\n',
  );
  assert.equal(cells[2].outputs[0].data['text/plain'].join(''), "[ 1, 8, 'RUN', [ 4 ], 24691357802469135780n ]");
});

test('a value of the wrong type is an error of the cell with the parameters, which names it', {
  timeout: 300_000,
}, () => {
  jupyter.write('wrong.ipynb', [{ source: 'let steps: number = 5;', tags: ['parameters'] }, 'steps']);
  assert.throws(
    () => jupyter.python('-m', 'papermill', 'wrong.ipynb', 'out.ipynb', '--no-progress-bar', '-p', 'steps', 'many'),
    /line 2, column 5: error TS2322: Type 'string' is not assignable to type 'number'[^]*> 2 \| let steps: number = "many";/,
  );
});

/** The parameters cell, the parameters as Python, and what papermill writes below its comment. */
const CODE: Array<[cell: string, parameters: string, written: string]> = [
  // How a name was declared.
  [
    'var a = 1, b: Map<string, number> = new Map<string, number>(), c',
    'dict(c=1, b=None, a=2)',
    'var c = 1;\nvar b: Map<string, number> = null;\nvar a = 2;',
  ],
  [
    "const mode:\n  | 'a' // one\n  | 'b' = 'a'\nlet next = 1",
    "dict(mode='b', next=2)",
    "const mode: | 'a' | 'b' = \"b\";\nlet next = 2;",
  ],
  ['let o: {\n  a: number\n  f(): void\n} = x', "dict(o={'a': 1})", 'let o: { a: number; f(): void } = { "a": 1 };'],
  [
    "const games = ['pong'] as const; let m = <'a' | 'b'>'a'",
    "dict(games=['breakout'], m='b')",
    'const games = ["breakout"] as const;\nlet m = "b" as \'a\' | \'b\';',
  ],
  [
    'const settings = { lr: 1 } satisfies Settings',
    "dict(settings={'lr': 2})",
    'const settings = { "lr": 2 } satisfies Settings;',
  ],
  [
    'let { lr, label: tag, ...rest }: { lr: number; label: string | null } = defaults, [first, [second]]: [number, [string]] = list',
    "dict(lr=1, tag='t', rest={}, second='s')",
    'let lr: ({ lr: number; label: string | null })["lr"] = 1;\nlet tag: ({ lr: number; label: string | null })["label"] = "t";\nlet rest = {};\nlet second: ([number, [string]])[1][0] = "s";',
  ],
  [
    'export let f: (x: number) => string = (x) => `${x}; ${`}`}`, g = /[/"]/g, h = 2',
    'dict(g=1, h=3)',
    'let g = 1;\nlet h = 3;',
  ],
  [
    'let text = "let inner = 1; // no comment"\nfunction f() { let inner: string; }\nfor (let i: number = 0;;) {}\nclass K { const = 1 }',
    "dict(inner=1, i=2, text='t')",
    'const inner = 1;\nconst i = 2;\nlet text = "t";',
  ],
  ['const s = `\nlet fake: number = 1\n`; /* let fake: string */', 'dict(fake=1)', 'const fake = 1;'],
  ['', "dict(game='pong')", 'const game = "pong";'],
  // Values.
  [
    '',
    "dict(s='\"q\" \\'a\\' \\\\ \\n \\t `${x}` */ ünï 😀 \\ud83d \\u2028')",
    'const s = "\\"q\\" \'a\' \\\\ \\n \\t `${x}` */ ünï 😀 \\ud83d \\u2028";',
  ],
  [
    '',
    'dict(a=[None, True, float("nan"), float("-inf"), -0.0, 1e300, 2**53 - 1, 2**60, -7])',
    'const a = [null, true, NaN, -Infinity, -0.0, 1e+300, 9007199254740991, 1152921504606846976, -7];',
  ],
  [
    '',
    'dict(d={"b-c": 1, "__proto__": 2, 3: (4, 5), None: [], True: {}, "": {6}})',
    'const d = { "b-c": 1, ["__proto__"]: 2, "3": [4, 5], "null": [], "true": {}, "": [6] };',
  ],
  [
    'let a: bigint[] = [], b = 0n, c: bigint | null = null',
    'dict(a=[1, 2**70], b=-5, c=None)',
    'let a: bigint[] = [1n, 1180591620717411303424n];\nlet b = -5n;\nlet c: bigint | null = null;',
  ],
  [
    'let when: Date = new Date(), day: string = ""',
    'dict(when=datetime.datetime(2024, 1, 2, 3, 4), day=datetime.date(2024, 1, 2))',
    'let when: Date = new Date("2024-01-02T03:04:00");\nlet day: string = "2024-01-02";',
  ],
  [
    '',
    "dict(n=numpy.float32(0.5), i=numpy.int64(3), b=numpy.bool_(True), a=numpy.array([[1, 2]]), p=pathlib.PurePosixPath('a/b'))",
    'const n = 0.5;\nconst i = 3;\nconst b = true;\nconst a = [[1, 2]];\nconst p = "a/b";',
  ],
  // What cannot be written.
  [
    '',
    'dict(seed=2**53 + 1)',
    'The parameter "seed": 9007199254740993 is not exact as a number of JavaScript. Declare it as bigint in the parameters cell (const name: bigint = 0n), or give it as a string (-r).',
  ],
  [
    '',
    "{'b-c': 1}",
    'The parameter "b-c" cannot be a variable of TypeScript: choose a name of letters, digits and _ that is no keyword.',
  ],
  [
    '',
    "{'class': 1}",
    'The parameter "class" cannot be a variable of TypeScript: choose a name of letters, digits and _ that is no keyword.',
  ],
  [
    '',
    'dict(x=object())',
    'The parameter "x": a value of type object cannot be written in TypeScript. Give a number, a string, a list or a dictionary.',
  ],
];

const WRITE = `
import datetime, json, pathlib, numpy, nbformat, papermill
from papermill.exceptions import PapermillException
def written(cell, parameters):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell, metadata={"tags": ["parameters"]})] if cell else [])
    book.metadata.update(kernelspec={"name": "joylab", "language": "typescript", "display_name": ""}, papermill={})
    try:
        out = papermill.parameterize.parameterize_notebook(book, eval(parameters))
    except PapermillException as error:
        return str(error)
    return out.cells[1 if cell else 0].source
print(json.dumps([written(*it) for it in json.load(open("cases.json"))]))`;

test('what papermill writes: kinds, types, values', { timeout: 300_000 }, () => {
  writeFileSync(
    join(jupyter.folder, 'cases.json'),
    JSON.stringify(CODE.map(([cell, parameters]) => [cell, parameters])),
  );
  const written = JSON.parse(jupyter.python('-c', WRITE)) as string[];
  const expected = CODE.map(([, , text]) => (text.startsWith('The parameter') ? text : `// Parameters\n${text}\n`));
  assert.deepEqual(written, expected);
});
