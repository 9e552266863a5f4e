// `npm run build:extension`: compiles extension/ and packs it with style/ into
// dist/labextension, the folder that JupyterLab loads.
import { buildSync } from 'esbuild';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);

run('typescript/bin/tsc', '-p', here);
await writeTemplate();
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

/** Writes what the launcher makes notebooks of: the notebook for a game, and the games, those with named state first. */
async function writeTemplate() {
  const atari = buildSync({
    stdin: {
      contents: `export { ATARI_GAMES, gameTitle } from './catalog'; export { atariStateVariables } from './games'; export { gameNotebook } from './notebook';`,
      resolveDir: path.join(root, 'kernel/environments/atari'),
    },
    bundle: true,
    format: 'esm',
    write: false,
  }).outputFiles[0].text;
  const { ATARI_GAMES, gameTitle, atariStateVariables, gameNotebook } = await import(
    `data:text/javascript,${encodeURIComponent(atari)}`
  );
  const games = ATARI_GAMES.map((name) => ({
    name,
    title: gameTitle(name),
    state: atariStateVariables(name).map((it) => it.name),
  }));
  games.sort((a, b) => Number(b.state.length > 0) - Number(a.state.length > 0));
  const pattern = JSON.parse(fs.readFileSync(path.join(root, 'notebooks/atari.ipynb'), 'utf8'));
  const notebook = JSON.stringify(gameNotebook(pattern, { name: '{{name}}', title: '{{title}}' }));
  const file = path.join(root, 'dist/browser/extension/launcher/template.json');
  fs.writeFileSync(file, JSON.stringify({ games, notebook }));
}
