// `npm test`: sets up everything, then runs every test. Arguments narrow it
// down: `npm test -- onnx rewards` runs the tests whose path contains one of
// these words, `npm test -- --fast` leaves out the slow ones.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { root, runMain, setup } from './setup.mjs';
import { SetupError } from './steps.mjs';

await runMain(async () => {
  await setup({ tests: true });
  const args = process.argv.slice(2);
  const words = args.filter(argument => argument !== '--fast');
  const files = testFiles(path.join(root, 'dist', 'test'))
    .filter(file => !args.includes('--fast') || !file.endsWith('.slow.test.js'))
    .filter(file => words.length === 0 || words.some(word => file.includes(word)));
  if (files.length === 0) throw new SetupError(`No test matches ${words.join(', ')}.`);
  // A test that hangs, or leaves something open when it fails, must not hang the run.
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-force-exit', '--test-timeout=600000', '--test-reporter=spec', ...files], { stdio: 'inherit', cwd: root });
  child.on('close', code => process.exit(code ?? 1));
});

/** The compiled tests whose source still exists, the quick ones first. */
function testFiles(folder) {
  const slow = file => Number(file.endsWith('.slow.test.js'));
  return fs.readdirSync(folder, { recursive: true })
    .filter(name => name.endsWith('.test.js'))
    .filter(name => fs.existsSync(path.join(root, 'test', name.replace(/\.js$/, '.ts'))))
    .map(name => path.relative(root, path.join(folder, name)))
    .sort((a, b) => slow(a) - slow(b) || a.localeCompare(b));
}
