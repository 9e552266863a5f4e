// `npm run bench -- NAME [ARGUMENTS]`: sets up what it needs, then runs one of
// the benchmarks in test/bench, or all of them but those that take most of a
// day. Each prints a table.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { needsOf } from './needs.mjs';
import { root, runMain, setupTests, testBuild } from './setup.mjs';
import { SetupError } from './steps.mjs';

const LONG = ['games'];

await runMain(async () => {
  const [name, ...args] = process.argv.slice(2);
  const names = fs
    .readdirSync(path.join(root, 'test', 'bench'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3));
  if (name !== undefined && !names.includes(name))
    throw new SetupError(
      `There is no benchmark ${name}. npm run bench -- NAME, with one of: ${names.join(', ')}; without a name all run but ${LONG.join(', ')}.`,
    );
  const chosen = name === undefined ? names.filter((one) => !LONG.includes(one)) : [name];
  await setupTests(needsOf(chosen.map((one) => path.join(root, 'test', 'bench', `${one}.ts`))));
  const failed = [];
  for (const one of chosen) {
    if (name === undefined) process.stdout.write(`\n== ${one}\n\n`);
    if ((await run(one, args)) !== 0) failed.push(one);
  }
  process.exit(failed.length);
});

/** Runs a benchmark and resolves to its exit code. */
function run(name, args) {
  const child = spawn(process.execPath, [path.join(root, testBuild, 'test', 'bench', `${name}.js`), ...args], {
    stdio: 'inherit',
    cwd: root,
  });
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}
