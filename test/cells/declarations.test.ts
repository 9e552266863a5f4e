import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { typescript } from '../../kernel/cells/compile/typescript';
import { packageRoot } from '../../kernel/setup/python';

test('the compiler of cells understands joylab\'s declarations', () => {
  const compiler = typescript();
  const root = path.join(packageRoot, 'dist', 'kernel', 'index.d.ts');
  const program = compiler.createProgram([root], {
    target: compiler.ScriptTarget.ES2022,
    module: compiler.ModuleKind.ESNext,
    moduleResolution: compiler.ModuleResolutionKind.Node10,
    lib: ['lib.es2022.d.ts'],
    types: ['node'],
    typeRoots: [path.join(packageRoot, 'node_modules', '@types')],
    esModuleInterop: true,
    noEmit: true,
  });
  const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(path.join(packageRoot, 'dist')));
  assert.ok(own.length > 10);
  const problems = own
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(({ file, messageText }) => `${file?.fileName}: ${compiler.flattenDiagnosticMessageText(messageText, '\n')}`);
  assert.deepEqual(problems, []);
});
