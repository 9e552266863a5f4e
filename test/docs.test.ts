import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import type * as ts from 'typescript';
import { CellCompiler } from '../kernel/cells/compile/compiler';
import { typescript } from '../kernel/cells/compile/typescript';
import { prepareDirectives } from '../kernel/cells/directives';
import { packageRoot } from '../kernel/common/packagePaths';
import { benchmarkMarkdown } from '../kernel/display/benchmark';
import { BENCHMARK_MIME } from '../kernel/display/benchmarkMime';
import { fileOf, FOLDER, MOST_BYTES, PICTURES } from './pictures/list';

/** Files and folders in which pages are looked for. */
const PLACES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs', 'kernel', 'test'];
const filesBelow = (place: string, pattern: RegExp): string[] =>
  (statSync(join(packageRoot, place)).isFile()
    ? [place]
    : (readdirSync(join(packageRoot, place), { recursive: true }) as string[]).map((name) => join(place, name))
  )
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => pattern.test(file) && !file.includes('node_modules/'));
const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8');
const exists = (path: string): boolean => existsSync(join(packageRoot, path));

const pages = PLACES.flatMap((place) => filesBelow(place, /\.md$/));
const documentation = pages.filter((page) => /^(README\.md|docs\/)/.test(page));

/** A page without its blocks of code. */
const prose = (page: string): string => read(page).replace(/^(`{3,})[^]*?^\1$/gm, '');
const codeSpans = (page: string): string[] => [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);

/** The anchor of a heading, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
const anchors = (page: string): string[] => [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, text]) => anchorOf(text));

test('every local link leads to a file, and to a heading of it', () => {
  let count = 0;
  for (const page of pages) {
    const text = prose(page).replace(/`[^`\n]+`/g, '');
    const targets = [/\]\(([^)\s]+)\)/g, /src(?:set)?="([^"]+)"/g].flatMap((link) => [...text.matchAll(link)]);
    for (const [, target] of targets) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path, anchor] = target.split('#');
      const file = path === '' ? page : relative(packageRoot, resolve(packageRoot, dirname(page), path));
      assert.ok(exists(file), `${page}: there is no ${target}`);
      if (anchor !== undefined)
        assert.ok(anchors(file).includes(anchor), `${page}: ${target}; there are: ${anchors(file).join(', ')}`);
      count++;
    }
  }
  assert.ok(count > 50, `${count} links`);
});

test('pages use every picture that is made, and no other, in both themes and with a text', () => {
  const made = PICTURES.flatMap((name) => [fileOf(name, 'light'), fileOf(name, 'dark')]);
  const used = new Set<string>();
  for (const page of documentation) {
    for (const [, file] of prose(page).matchAll(/src(?:set)?="[^"]*pictures\/([^"]+)"/g)) used.add(file);
    for (const [image] of prose(page).matchAll(/<img[^>]*>/g)) assert.match(image, /alt="[^"]{20,}"/, page);
  }
  assert.deepEqual([...used].sort(), [...made].sort());
  assert.deepEqual(readdirSync(join(packageRoot, FOLDER)).sort(), [...made].sort());
  const sizes = made.map((file) => statSync(join(packageRoot, FOLDER, file)).size);
  assert.ok(Math.max(...sizes) < MOST_BYTES.each && sizes.reduce((a, b) => a + b) < MOST_BYTES.together, sizes.join());
});

test('tables of results are what the saved notebooks have measured', () => {
  /** Lines of the first benchmark of a saved notebook, with as many of their columns. */
  const tableOf = (notebook: string, columns?: number): string => {
    const { cells } = JSON.parse(read(`notebooks/${notebook}.ipynb`));
    const [data] = cells.flatMap(({ outputs = [] }: any) =>
      outputs.flatMap((it: any) => it.data?.[BENCHMARK_MIME] ?? []),
    );
    const lines = benchmarkMarkdown(data)
      .split('\n')
      .filter((line) => line.startsWith('|'));
    assert.ok(lines.length > 6, `${notebook}: ${lines.length} lines`);
    const shortened = (line: string) =>
      `${line
        .split('|')
        .slice(0, columns! + 1)
        .join('|')}|`;
    return (columns === undefined ? lines : lines.map(shortened)).join('\n');
  };
  for (const [page, table] of [
    ['docs/reference/results.md', tableOf('benchmark')],
    ['README.md', tableOf('atari', 4)],
  ])
    assert.ok(read(page).includes(table), `${page} has not this table:\n${table}`);
});

test('every page of docs can be reached from its index', () => {
  const linked = [...read('docs/README.md').matchAll(/\]\(([^)\s#]+)/g)].map(([, path]) => join('docs', path));
  for (const page of documentation.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md'))
    assert.ok(linked.includes(page), `docs/README.md has no link to ${page}`);
});

test('files and folders that the pages name exist', () => {
  for (const page of [...documentation, 'CONTRIBUTING.md']) {
    const named = codeSpans(page).filter((span) => /^(kernel|test|extension|notebooks)\/[\w./-]*$/.test(span));
    for (const name of named) assert.ok(exists(name), `${page}: there is no ${name}`);
  }
  // The architecture names them as seen from kernel/, or alone.
  const named = codeSpans('docs/architecture.md').filter((span) => /^[\w-]+\/[\w/.-]*$|^[\w-]+\.ts$/.test(span));
  assert.ok(named.length > 50, `${named.length} names`);
  const sources = filesBelow('kernel', /\.ts$/).map((file) => `/${file}`);
  for (const name of named)
    assert.ok(
      exists(name) || exists(`kernel/${name}`) || sources.some((file) => file.endsWith(`/${name}`)),
      `docs/architecture.md: there is no ${name}`,
    );
});

test('functions, settings and environment variables that the pages name exist', () => {
  const sources = ['kernel', 'extension', 'scripts', 'test/models'].flatMap((place) =>
    filesBelow(place, /\.(ts|mjs|py)$/),
  );
  const words = new Set(sources.flatMap((file) => read(file).match(/[\w$]+/g) ?? []));
  // Names in pages about additions are those of the additions; the page of settings is made of their declarations.
  const written = (page: string) => !page.startsWith('docs/how-to/') && page !== 'docs/reference/settings.md';
  for (const page of documentation.filter(written)) {
    const names = codeSpans(page).flatMap(
      (span) => span.match(/\b[a-z]+[A-Z]\w*|\b[A-Za-z]\w*(?=\()|\b[A-Z]+_[A-Z_]+\b/g) ?? [],
    );
    for (const name of names) assert.ok(words.has(name) || EXAMPLES.has(name), `${page}: nothing is called ${name}`);
  }
});

/** Names of examples, of front ends and of OpenEnv. */
const EXAMPLES = new Set([
  'countUp',
  'CountUp',
  'MCPToolClient',
  'execSync',
  'readFileSync',
  'NODE_DISABLE_COMPILE_CACHE',
]);

/** Blocks of TypeScript. One that begins with a path is a file, or a part of one: `// kernel/x.ts, in NAME`. */
const blocks = (page: string): string[] =>
  [...read(page).matchAll(/^(`{3,})ts\n([^]*?)^\1$/gm)].map(([, , code]) => code);
const FILE = /^\/\/ (?:kernel|test|extension)\/[\w./]+(, in \w+)?\n/;

for (const page of documentation.filter((page) => blocks(page).some((block) => !FILE.test(block)))) {
  test(`${page}: its cells compile, one after another, as a notebook's`, () => {
    const compiler = new CellCompiler(
      { folder: join(packageRoot, 'notebooks'), packageRoot },
      () => {},
      () => {},
    );
    for (const code of blocks(page).filter((block) => !FILE.test(block))) {
      const { preamble } = prepareDirectives(code, compiler.notebook.names());
      compiler.begin({ label: page, code, preamble });
      compiler.convert('', preamble + code);
      const { problems, pending } = compiler.end();
      assert.deepEqual(
        problems.map(({ message, start }) => `${code.slice(start).split('\n')[0]}: ${message}`),
        [],
      );
      compiler.notebook.keep(pending!, () => true);
    }
    compiler.close();
  });
}

test('parts of files in the pages are TypeScript', () => {
  const parts = documentation.flatMap((page) => blocks(page).filter((block) => FILE.test(block)));
  assert.ok(parts.length > 10, `${parts.length} parts`);
  for (const part of parts) {
    // A part of a list or of an object begins in the middle of an expression.
    const forms = FILE.exec(part)![1] ? [`[${part}]`, `({${part}})`] : [part];
    const errors = forms.map(syntaxErrors);
    assert.ok(
      errors.some((found) => found.length === 0),
      `${part}\n${errors.flat().join('\n')}`,
    );
  }
});

function syntaxErrors(code: string): string[] {
  const compiler = typescript();
  const file = compiler.createSourceFile('part.ts', code, compiler.ScriptTarget.Latest);
  // TypeScript exports no function that gives these of a single file.
  const { parseDiagnostics } = file as unknown as { parseDiagnostics: readonly ts.Diagnostic[] };
  return parseDiagnostics.map(({ messageText }) => compiler.flattenDiagnosticMessageText(messageText, '\n'));
}
