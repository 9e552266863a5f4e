// `npm run bench -- NAME [ARGUMENTS]`: sets up everything, then runs one of
// the benchmarks in test/bench. Each prints a table.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { root, runMain, setup } from './setup.mjs';
import { SetupError } from './steps.mjs';

await runMain(async () => {
  await setup({ tests: true });
  const [name, ...args] = process.argv.slice(2);
  const names = fs.readdirSync(path.join(root, 'test', 'bench')).filter(file => file.endsWith('.ts')).map(file => file.slice(0, -3));
  if (!names.includes(name)) throw new SetupError(`Which benchmark? npm run bench -- NAME, with one of: ${names.join(', ')}`);
  const child = spawn(process.execPath, [path.join(root, 'dist', 'test', 'bench', `${name}.js`), ...args], { stdio: 'inherit', cwd: root });
  child.on('close', code => process.exit(code ?? 1));
});
