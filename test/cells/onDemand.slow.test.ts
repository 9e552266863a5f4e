/** Declarations that are read on demand mean what they mean to TypeScript itself. */
import assert from 'node:assert/strict';
import { builtinModules } from 'node:module';
import { test } from 'node:test';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type * as ts from 'typescript';
import { NotebookProgram } from '../../kernel/cells/compile/program/notebook';
import { compilerOptions } from '../../kernel/cells/compile/program/options';
import { typescript } from '../../kernel/cells/compile/typescript';
import { packageRoot } from '../../kernel/common/packagePaths';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-declarations-'));
const compiler = typescript();

/** Modules that a notebook can import, `joylab` among them. */
const MODULES = [
  ...builtinModules.filter((name) => !name.startsWith('_') && !['sys', 'wasi'].includes(name)),
  'node:test',
  'joylab',
];
const IMPORTS = MODULES.map((name, i) => `import * as m${i} from '${name}';\nm${i};`).join('\n');

/** All that a checker knows about globals and modules: their names and types, and those of their properties. */
function meanings(program: ts.Program, file: ts.SourceFile): Map<string, string> {
  const checker = program.getTypeChecker();
  const found = new Map<string, string>();
  const note = (name: string, symbol: ts.Symbol): void => {
    const { flags } = symbol;
    const types = [
      flags & compiler.SymbolFlags.Value ? checker.getTypeOfSymbol(symbol) : null,
      flags & compiler.SymbolFlags.Type ? checker.getDeclaredTypeOfSymbol(symbol) : null,
    ];
    for (const [i, type] of types.entries())
      if (type) found.set(`${name}${i === 0 ? '' : ' (type)'}`, plainly(described(type)));
  };
  const described = (type: ts.Type): string => {
    const properties = checker
      .getPropertiesOfType(type)
      .map((it) => `${it.name}: ${text(checker.getTypeOfSymbol(it))}`);
    return `${text(type)} {${properties.sort().join('; ')}}`;
  };
  const text = (type: ts.Type) =>
    checker.typeToString(
      type,
      undefined,
      compiler.TypeFormatFlags.UseFullyQualifiedType | compiler.TypeFormatFlags.NoTruncation,
    );
  // Numbers of symbols differ, and whether a name is said with its module.
  const plainly = (text: string) => text.replace(/@\d+|import\("[^"]+"\)\./g, '');
  for (const symbol of checker.getSymbolsInScope(
    file,
    compiler.SymbolFlags.Value | compiler.SymbolFlags.Type | compiler.SymbolFlags.Namespace,
  )) {
    if (!/^m\d+$|^"/.test(symbol.name)) note(symbol.name, symbol);
  }
  for (const statement of file.statements.filter(compiler.isImportDeclaration)) {
    const { text: name } = statement.moduleSpecifier as ts.StringLiteral;
    const module = checker.getSymbolAtLocation(statement.moduleSpecifier);
    assert.ok(module, `${name} is known`);
    for (const symbol of checker.getExportsOfModule(module))
      note(
        `${name}.${symbol.name}`,
        symbol.flags & compiler.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
      );
  }
  return found;
}

function plainProgram(text: string): { program: ts.Program; file: ts.SourceFile } {
  const name = path.join(folder, 'plain.ts');
  fs.writeFileSync(name, text);
  const options = compilerOptions({ folder, packageRoot });
  const program = compiler.createProgram([name], options);
  return { program, file: program.getSourceFile(name)! };
}

for (const [title, text] of Object.entries({
  'globals, where nothing is imported': '1',
  'globals and all modules': IMPORTS,
})) {
  test(`${title}, have the same types as in a program that reads everything at once`, () => {
    const plain = plainProgram(text);
    const expected = meanings(plain.program, plain.file);
    const { program, file } = new NotebookProgram({ folder, packageRoot }).open(text);
    const actual = meanings(program, file);
    assert.ok(expected.size > (text === '1' ? 200 : 1500), `${expected.size} names`);
    assert.deepEqual(
      [...expected.keys()].filter((name) => !actual.has(name)),
      [],
      'missing',
    );
    assert.deepEqual(
      [...actual.keys()].filter((name) => !expected.has(name)),
      [],
      'too many',
    );
    assert.deepEqual(
      [...expected].filter(([name, meaning]) => actual.get(name) !== meaning).map(([name]) => name),
      [],
      'others',
    );
  });
}

test('what nothing names is not read, nor what was read for an earlier cell', () => {
  const notebook = new NotebookProgram({ folder, packageRoot });
  const { program: first, file } = notebook.open(
    "import { openenv } from 'joylab';\nconst env = openenv;\nprocess.stdout",
  );
  assert.deepEqual(first.getSemanticDiagnostics(file), []);
  const { program } = notebook.open("import { join } from 'node:path';\njoin");
  const nodes = program
    .getSourceFiles()
    .reduce((sum, file) => sum + (file as unknown as { nodeCount: number }).nodeCount, 0);
  assert.ok(nodes < 60_000, `${nodes} nodes`);
});
