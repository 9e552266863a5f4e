// `npm start`: sets up what is missing, then runs the command line. Without a
// command it opens JupyterLab on the first notebook.
import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { root, runMain, setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  const args = process.argv.slice(2);
  const command = args[0] && !args[0].startsWith('-') ? args : ['lab', ...args];
  const child = spawn(process.execPath, [path.join(root, 'dist/kernel/cli.js'), ...command], {
    stdio: 'inherit',
    cwd: process.env.INIT_CWD ?? process.cwd(),
  });
  // Ctrl-C reaches the child, too: let it end in its own way.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('close', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
});
