import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { packageRoot } from '../kernel/common/packagePaths';

/** The folders of `kernel/`: each may import from those that come after it. */
const ORDER = [
  'run',
  'papermill',
  'install',
  'cells',
  'jupyter',
  'grpo',
  'sft',
  'benchmark',
  'training',
  'engines',
  'rewards',
  'rollout',
  'strategy',
  'environments',
  'chat',
  'openenv',
  'models',
  'onnx',
  'schema',
  'display',
  'episodes',
  'common',
];
/** They know nothing of the rest, but for one another. */
const FOUNDATIONS = ['onnx', 'schema', 'episodes', 'common'];
/** Where a file of a lower folder loads one of a higher when it is asked to, and why. */
const LAZY: Record<string, string> = {
  'episodes > rollout': 'an episode that is asked for its frames is played again',
  'models > engines': 'a model may be asked for that another process is to hold',
};

interface Import {
  from: string;
  to: string;
  /** `value` is there when the file is loaded, `lazy` when a function runs, `type` never. */
  kind: 'value' | 'lazy' | 'type';
}

const root = join(packageRoot, 'kernel');
const imports = (readdirSync(root, { recursive: true }) as string[])
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => importsOf(join(root, file)));
const folderOf = (file: string): string => relative(root, file).replaceAll('\\', '/').split('/').slice(0, -1)[0] ?? '';

function importsOf(file: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, kind: Import['kind']): void => {
    if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return;
    const base = resolve(dirname(file), specifier.text.replace(/\.js$/, ''));
    const to = [`${base}.ts`, join(base, 'index.ts')].find((path) => existsSync(path));
    if (to) found.push({ from: file, to, kind });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isOfTypes(node.importClause) ? 'type' : 'value');
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly ? 'type' : 'value');
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, node.isTypeOf ? 'lazy' : 'type');
    else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require')
    )
      add(node.arguments[0], 'lazy');
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true));
  return found;
}

/** Whether nothing that an import names is there when the program runs. */
function isOfTypes(clause: ts.ImportClause | undefined): boolean {
  if (!clause || clause.isTypeOnly) return clause !== undefined;
  const named = clause.namedBindings;
  return (
    !clause.name &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.every(({ isTypeOnly }) => isTypeOnly)
  );
}

/** Groups of nodes that reach one another. */
function circles(edges: ReadonlyArray<[string, string]>): string[][] {
  const next = new Map<string, Set<string>>();
  for (const [from, to] of edges) next.set(from, (next.get(from) ?? new Set()).add(to));
  const reached = (from: string): Set<string> => {
    const seen = new Set<string>();
    const open = [...(next.get(from) ?? [])];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      open.push(...(next.get(node) ?? []));
    }
    return seen;
  };
  const reach = new Map([...next.keys()].map((node) => [node, reached(node)]));
  const inCircle = [...reach].filter(([node, seen]) => seen.has(node)).map(([node]) => node);
  return [
    ...new Set(
      inCircle.map((node) =>
        inCircle
          .filter((other) => node === other || (reach.get(node)!.has(other) && reach.get(other)!.has(node)))
          .sort()
          .join(' '),
      ),
    ),
  ].map((text) => text.split(' '));
}

const between = (kinds: Import['kind'][]): Array<[string, string]> =>
  imports
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ from, to }): [string, string] => [folderOf(from), folderOf(to)])
    .filter(([from, to]) => from !== to && from !== '' && to !== '');

test('every folder of the kernel has its place in the order, and imports from those below it alone', () => {
  const folders = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && imports.some(({ from }) => folderOf(from) === entry.name),
  );
  for (const { name } of folders) assert.ok(ORDER.includes(name), `${name} has no place in the order`);
  const upward = between(['value', 'type']).filter(([from, to]) => ORDER.indexOf(to) < ORDER.indexOf(from));
  assert.deepEqual([...new Set(upward.map((pair) => pair.join(' > ')))], []);
});

test('main.ts alone knows what runs cells, the command line alone knows main.ts', () => {
  const importers = (of: string) =>
    imports
      .filter(({ from, to }) => relative(root, to).startsWith(of) && !relative(root, from).startsWith(of))
      .map(({ from }) => relative(root, from));
  assert.deepEqual([...new Set(importers('cells'))], ['main.ts']);
  assert.deepEqual([...new Set(importers('main.ts'))], ['cli.ts']);
});

test('what is loaded late and lies higher has a reason', () => {
  const upward = between(['lazy']).filter(([from, to]) => ORDER.indexOf(to) < ORDER.indexOf(from));
  assert.deepEqual([...new Set(upward.map((pair) => pair.join(' > ')))].sort(), Object.keys(LAZY).sort());
});

test("no files need one another to be loaded, no folders know one another's types", () => {
  const files = imports
    .filter(({ kind }) => kind === 'value')
    .map(({ from, to }): [string, string] => [relative(root, from), relative(root, to)]);
  assert.deepEqual(circles(files), []);
  assert.deepEqual(circles(between(['value', 'type'])), []);
});

test('the foundations know nothing of the rest; only its own folder and the registry know Atari', () => {
  for (const { from, to, kind } of imports) {
    const [a, b] = [folderOf(from), folderOf(to)];
    if (kind !== 'lazy' && FOUNDATIONS.includes(a) && a !== b)
      assert.ok(FOUNDATIONS.includes(b), `${relative(root, from)} imports ${relative(root, to)}`);
    const atari = join(root, 'environments', 'atari');
    if (a !== '' && to.startsWith(atari) && !from.startsWith(atari))
      assert.match(relative(root, from), /^environments.(registry|index)\.ts$/, `${relative(root, from)} knows Atari`);
  }
});
