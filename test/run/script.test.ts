import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../kernel/common/packagePaths';
import { notebookOfScript } from '../../kernel/run/script';
import { JupyterPrefix } from '../jupyter/prefix';
import { joylab } from './joylab';

let jupyter: JupyterPrefix;
before(() => (jupyter = new JupyterPrefix()));
after(() => jupyter.remove());

const text = (name: string) => readFileSync(join(jupyter.folder, name), 'utf8');
const code = ({ cells }: any) => cells.filter(({ cell_type }: any) => cell_type === 'code');
/** Types, sources and metadata of the cells of a notebook. */
const cellsOf = ({ cells }: any) =>
  cells.map(({ cell_type, source, metadata: { execution, ...metadata } }: any) => [
    cell_type,
    [source].flat().join(''),
    metadata,
  ]);
/** What the cells of a notebook say. */
const said = (notebook: any): string =>
  code(notebook)
    .flatMap(({ outputs }: any) => outputs)
    .map(({ text, data }: any) => [text ?? `${[data['text/plain']].flat().join('')}\n`].flat().join(''))
    .join('');

test('jupytext writes every notebook as .ts and reads it again, equal in cells and metadata; joylab reads the same', {
  timeout: 300_000,
}, () => {
  const folder = join(packageRoot, 'notebooks');
  const names = readdirSync(folder).filter((name) => name.endsWith('.ipynb'));
  assert.ok(names.length > 5);
  for (const name of names) copyFileSync(join(folder, name), join(jupyter.folder, name));
  jupyter.python('-m', 'jupytext', '--to', 'ts:percent', ...names);
  const scripts = names.map((name) => name.replace('.ipynb', '.ts'));
  const originals = names.map((name) => jupyter.read(name));
  jupyter.python('-m', 'jupytext', '--to', 'ipynb', ...scripts);
  for (const [i, script] of scripts.entries()) {
    const again = jupyter.read(names[i]);
    assert.deepEqual(cellsOf(again), cellsOf(originals[i]), script);
    assert.deepEqual(again.metadata.kernelspec, originals[i].metadata.kernelspec);
    assert.deepEqual(cellsOf(notebookOfScript(text(script))), cellsOf(originals[i]), script);
  }
});

const CELLS = [
  { source: 'const steps: number = 3;', tags: ['parameters'] },
  'function twice(x: number) {\n  return `${2 * x}\n\n`;\n}\n\n// Of the next statement.\nconst doubled = twice(steps);',
  "console.log('said', import.meta.dirname === process.cwd());\n/** A comment.\n * @param x its argument */\nconst half = (x: number) => x / 2;",
  '[doubled, half(steps)]',
];

test('a notebook of jupytext, and one of nbconvert --to script, runs as .ts and says the same', {
  timeout: 300_000,
}, () => {
  jupyter.write('small.ipynb', CELLS);
  jupyter.python('-m', 'jupyter', 'nbconvert', '--to', 'notebook', '--execute', '--inplace', 'small.ipynb');
  const executed = jupyter.read('small.ipynb');
  assert.equal(said(executed), "said true\n[ '6\\n\\n', 1.5 ]\n");

  jupyter.python('-m', 'jupytext', '--to', 'ts:percent', 'small.ipynb', '-o', 'marked.ts');
  assert.match(text('marked.ts'), /\n\/\/ %% tags=\["parameters"\]\nconst steps: number = 3;\n\n\/\/ %%\n/);
  jupyter.python('-m', 'jupyter', 'nbconvert', '--to', 'script', 'small.ipynb', '--output', 'plain');
  assert.doesNotMatch(text('plain.ts'), /%%|#/);

  for (const script of ['marked.ts', 'plain.ts']) {
    const before = text(script);
    const printed = joylab(jupyter.folder, ['run', script], jupyter.env);
    assert.equal(printed.code, 0, printed.stderr);
    assert.match(printed.stdout, /^\[1\/\d\] const steps: number = 3;\n/);
    assert.match(printed.stdout, /\nsaid true\n[^]*\n\[ '6\\n\\n', 1\.5 \]\n/);
    assert.equal(text(script), before, 'it is left as it is');

    const saved = joylab(jupyter.folder, ['run', script, '--output', 'out.ipynb'], jupyter.env);
    assert.equal(saved.code, 0, saved.stderr);
    const notebook = jupyter.read('out.ipynb');
    assert.equal(said(notebook), said(executed));
    assert.equal(notebook.metadata.language_info.file_extension, '.ts');
    if (script === 'marked.ts') assert.deepEqual(cellsOf(notebook).slice(1), cellsOf(executed).slice(1).map(untagged));
  }
});

/** jupytext leaves out empty lists of tags. */
const untagged = ([type, source]: [string, string, object]) => [type, source, {}];

test('a file by hand: text cells, titles, metadata as JSON, windows line ends, and what is wrong with it', () => {
  const notebook = notebookOfScript(
    '// ---\r\n// jupyter: {}\r\n// ---\r\n\r\n1 + 1\r\n\r\n// %% [markdown]\r\n// # Title\r\n//\r\n// text\r\n// %% a title {"tags": ["x"]}\r\n2 + 2\r\n//%%\r\n// only a comment\r\n// %% [md]\r\n/*\r\nin a block\r\n*/\r\n// %% [raw] format="text/plain" n=1\r\n// raw',
  );
  assert.deepEqual(cellsOf(notebook), [
    ['code', '1 + 1', {}],
    ['markdown', '# Title\n\ntext', {}],
    ['code', '2 + 2', { title: 'a title', tags: ['x'] }],
    ['code', '// only a comment', {}],
    ['markdown', 'in a block', {}],
    ['raw', 'raw', { format: 'text/plain', n: 1 }],
  ]);
  assert.throws(() => notebookOfScript('// %% tags=[x]\n1'), /The metadata of this cell is no JSON: .*\[x\]/);

  writeFileSync(join(jupyter.folder, 'fails.ts'), "// %%\nthrow new RangeError('too far');\n");
  const failed = joylab(jupyter.folder, ['run', 'fails.ts'], jupyter.env);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /A cell failed: RangeError: too far/);
  const wrong = joylab(jupyter.folder, ['run', 'fails.ts', '--output', 'fails.ts']);
  assert.match(wrong.stderr, /^joylab run: --output fails\.ts is to be a notebook: .*\.ipynb\.\n$/);
  assert.match(text('fails.ts'), /too far/);
});
