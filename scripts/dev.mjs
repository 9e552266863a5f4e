// `npm run dev`: opens JupyterLab and, as long as it runs, builds kernel and
// extension anew when their sources change. Kernels that run are restarted
// with the new build; for the extension, reload the page.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import * as path from 'node:path';
import { buildExtension, kernelFilesOfExtension, register, root, runMain, setup } from './setup.mjs';

/** Milliseconds without a change after which the extension is built. */
const QUIET = 300;

await runMain(async () => {
  await setup();
  const port = await freePort();
  const server = { url: `http://127.0.0.1:${port}`, token: randomBytes(16).toString('hex') };
  watchKernel(() => restartKernels(server));
  watchExtension();
  const args = [`--ServerApp.port=${port}`, `--IdentityProvider.token=${server.token}`, ...process.argv.slice(2)];
  const lab = spawn(process.execPath, [path.join(root, 'dist/kernel/cli.js'), 'lab', ...args], {
    stdio: 'inherit',
    cwd: process.env.INIT_CWD ?? root,
  });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => lab.kill('SIGTERM'));
  lab.on('close', (code) => process.exit(code ?? 0));
});

/**
 * Compiles the kernel at every change, and calls `onBuilt` after each build without
 * errors, except for the first, which changes nothing.
 */
function watchKernel(onBuilt) {
  const compiler = spawn(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--watch', '--preserveWatchOutput'],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  process.on('exit', () => compiler.kill());
  let builds = 0;
  compiler.stdout.setEncoding('utf8').on('data', (text) => {
    const [, errors] = /Found (\d+) errors?\./.exec(text) ?? [];
    if (errors !== '0') process.stdout.write(errors === undefined && !text.includes('error') ? '' : text);
    else if (builds++ > 0) onBuilt();
  });
}

/** Builds and registers the extension when one of its files changes. */
function watchExtension() {
  let timer;
  let building = Promise.resolve();
  const build = () =>
    (building = building
      .then(async () => {
        await buildExtension();
        await register();
      })
      .catch((error) => tell(error.message)));
  const watch = (folder, concerns) =>
    fs.watch(path.join(root, folder), { recursive: true }, (_, name) => {
      if (name === null || !concerns(path.join(root, folder, name))) return;
      clearTimeout(timer);
      timer = setTimeout(build, QUIET);
    });
  for (const folder of ['extension', 'style']) watch(folder, () => true);
  watch('kernel', (file) => kernelFilesOfExtension().includes(file));
}

async function restartKernels({ url, token }) {
  const ask = (place, method) =>
    fetch(`${url}/api/kernels${place}`, { method, headers: { Authorization: `token ${token}` } });
  try {
    const kernels = (await (await ask('', 'GET')).json()).filter(({ name }) => name === 'joylab');
    for (const { id } of kernels) await ask(`/${id}/restart`, 'POST');
    tell(`The kernel is built anew; ${kernels.length === 0 ? 'none runs' : `restarted: ${kernels.length}`}.`);
  } catch (error) {
    tell(`The kernel is built anew, and JupyterLab cannot be asked to restart those that run: ${error.message}`);
  }
}

function tell(text) {
  process.stderr.write(`\n${text}\n`);
}

/** Resolves to a free port. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .on('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = probe.address();
        probe.close(() => resolve(port));
      });
  });
}
