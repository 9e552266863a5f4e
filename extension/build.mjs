// `npm run build:extension`: compiles extension/ and packs it with style/ into
// dist/labextension, the folder that JupyterLab loads.
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);

run('typescript/bin/tsc', '-p', here);
run(
  '@jupyter/builder/lib/build-labextension.js',
  '--core-package-file',
  path.join(root, 'node_modules/@jupyterlab/core-meta/core.package.json'),
  here,
);

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [path.join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
