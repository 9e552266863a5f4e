import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { compilerOptions, joylabDeclarations } from '../../kernel/cells/compile/program/options';
import { typescript } from '../../kernel/cells/compile/typescript';
import { buildRoot, packageRoot } from '../../kernel/common/packagePaths';

test("cells understand joylab's declarations", () => {
  const compiler = typescript();
  const surroundings = { folder: path.join(packageRoot, 'notebooks'), packageRoot };
  // What cells skip is checked here.
  const options = { ...compilerOptions(surroundings), skipLibCheck: false, noEmit: true };
  const program = compiler.createProgram([joylabDeclarations()], options);
  const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(buildRoot));
  assert.ok(own.length > 10);
  const problems = own
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(({ file, messageText }) => `${file?.fileName}: ${compiler.flattenDiagnosticMessageText(messageText, '\n')}`);
  assert.deepEqual(problems, []);
});
