// `npm run pictures`: runs the project's notebook in JupyterLab and writes the
// pictures of README and docs into docs/pictures; sets up what that needs.
import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { needsOf } from './needs.mjs';
import { root, runMain, setupTests, testBuild } from './setup.mjs';

await runMain(async () => {
  await setupTests(needsOf([path.join(root, 'test', 'pictures', 'pictures.ts')]));
  const child = spawn(process.execPath, [path.join(root, testBuild, 'test', 'pictures', 'pictures.js')], {
    stdio: 'inherit',
    cwd: root,
  });
  process.exit(await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1))));
});
