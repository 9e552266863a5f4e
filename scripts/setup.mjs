// Makes the project ready to run: npm packages, the Python environment, the
// build, the registration in Jupyter. Each part remembers what it was made
// from and is skipped when nothing changed. Plain JavaScript: it runs before
// anything is installed or compiled.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareBrowser } from './browser.mjs';
import { SetupError, runQuietly, step } from './steps.mjs';
import { checkPython, makeEnvironment, venvPython } from './venv.mjs';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const venvStamps = path.join('.venv', 'joylab');
/** Folder in which tests and benchmarks are built, so that a kernel that runs from `dist` goes on. */
export const testBuild = 'dist-test';

const extensionStamp = 'dist/extension.stamp';

/** Sets up what is missing to run Joylab. */
export async function setup() {
  checkNode();
  await together(
    async () => {
      await installPackages();
      await buildKernel('dist');
      await buildExtension();
    },
    () => installPython(),
  );
  await register();
}

/** Sets up what is missing to run tests or benchmarks with these needs; see needs.mjs. */
export async function setupTests({ python, peers, browser, extension }) {
  checkNode();
  await together(
    async () => {
      await installPackages();
      await buildKernel(testBuild);
      if (extension) await buildExtension();
      if (browser) await prepareBrowser();
    },
    async () => {
      if (python || peers) await installPython();
      if (peers) await installPeers();
    },
  );
}

/** Runs independent works concurrently. When one fails, the others still finish, so that they need not be done again. */
async function together(...works) {
  const failed = (await Promise.allSettled(works.map((work) => work()))).find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}

/** Runs `main`; a failure that the user can mend is one sentence and exit code 1. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`\n${error instanceof SetupError ? error.message : error.stack}\n`);
    process.exit(1);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(
    `Joylab needs Node.js 20.19 or newer; this is ${process.versions.node}. Install a newer one (nodejs.org) and run the command again.`,
  );
}

async function installPackages() {
  const modules = path.join(root, 'node_modules', '.joylab');
  const wanted = hashFiles([path.join(root, 'package-lock.json')]);
  if (read(modules) === wanted) return;
  await step('Installing npm packages', () =>
    runQuietly(npm(), ['ci', '--no-audit', '--no-fund'], {
      cwd: root,
      shell: process.platform === 'win32',
    }),
  );
  fs.writeFileSync(modules, wanted);
}

async function installPython() {
  await makeEnvironment(root);
  await installRequirements('', 'Installing JupyterLab, OpenEnv and the Arcade Learning Environment');
}

async function installPeers() {
  checkPython(root, 11, 'the tests: transformers and ONNX Runtime no longer know older ones');
  await installRequirements('-test', 'Installing what the tests compare with (PyTorch, transformers, PEFT, TRL)');
}

/** Installs `requirements<kind>.txt`, with the versions of all packages from `constraints<kind>.txt`. */
async function installRequirements(kind, title) {
  const list = (name) => path.join(root, 'scripts', `${name}${kind}.txt`);
  const translator = listFiles(path.join(root, 'kernel', 'papermill'));
  await unlessDone(
    path.join(venvStamps, `requirements${kind}`),
    () => hashFiles([list('requirements'), list('constraints'), ...translator]),
    '.venv',
    () =>
      step(title, () =>
        runQuietly(
          venvPython(root),
          [
            '-m',
            'pip',
            'install',
            '--disable-pip-version-check',
            '-r',
            list('requirements'),
            '-c',
            list('constraints'),
          ],
          { cwd: root },
        ),
      ),
  );
}

/** Compiles the kernel and its tests into `folder`. */
async function buildKernel(folder) {
  const sources = () =>
    hashStats(
      ['kernel', 'test', 'tsconfig.json', 'package-lock.json'].flatMap((name) => listFiles(path.join(root, name))),
    );
  const where = ['--outDir', folder, '--tsBuildInfoFile', `${folder}/tsconfig.tsbuildinfo`];
  await unlessDone(`${folder}/kernel.stamp`, sources, `${folder}/kernel/cli.js`, () =>
    step(folder === testBuild ? 'Building the kernel and its tests' : 'Building the kernel', () =>
      runQuietly(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', ...where], { cwd: root }),
    ),
  );
}

export async function buildExtension() {
  const own = () =>
    hashStats(
      [
        'extension',
        'style',
        'package-lock.json',
        // The launcher's notebook and games.
        'notebooks/atari.ipynb',
        'kernel/common/notebook.ts',
        ...['catalog.ts', 'games', 'notebook.ts'].map((name) => `kernel/environments/atari/${name}`),
      ].flatMap((name) => listFiles(path.join(root, name))),
    );
  const sources = () => own() + hashStats(kernelFilesOfExtension());
  await unlessDone(extensionStamp, sources, 'dist/labextension/package.json', async () => {
    const before = own();
    await step('Building the JupyterLab extension', () =>
      runQuietly(npm(), ['run', 'build:extension'], { cwd: root, shell: process.platform === 'win32' }),
    );
    // Which of the kernel's files it read is known from now on.
    return before + hashStats(kernelFilesOfExtension());
  });
}

/** Returns the kernel's files that are part of the extension: those that its last build read. */
export function kernelFilesOfExtension() {
  const info = path.join(root, 'dist', 'browser', 'extension.tsbuildinfo');
  const names = fs.existsSync(info) ? JSON.parse(fs.readFileSync(info, 'utf8')).fileNames : [];
  return names
    .map((name) => path.resolve(path.dirname(info), name))
    .filter((file) => file.startsWith(path.join(root, 'kernel') + path.sep));
}

/** Registers kernel and extension in the project's own environment, and nowhere else. */
export async function register() {
  const files = ['dist/kernel.stamp', extensionStamp].map((name) => path.join(root, name));
  await unlessDone(
    path.join(venvStamps, 'registered'),
    () => hashFiles(files),
    '.venv/share/jupyter/kernels/joylab/kernel.json',
    () =>
      step('Registering kernel and extension in the project’s environment', () =>
        runQuietly(process.execPath, ['dist/kernel/cli.js', 'install', '--prefix', path.join(root, '.venv')], {
          cwd: root,
        }),
      ),
  );
}

/**
 * Runs `work` unless it was done before with the same fingerprint and its product
 * still exists. `work` may return another fingerprint to remember.
 */
async function unlessDone(name, fingerprint, product, work) {
  const stamp = path.join(root, name);
  const before = fingerprint();
  if (read(stamp) === before && fs.existsSync(path.join(root, product))) return;
  fs.rmSync(stamp, { force: true });
  const done = await work();
  fs.mkdirSync(path.dirname(stamp), { recursive: true });
  fs.writeFileSync(stamp, done ?? before);
}

function read(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
}

function hashFiles(files) {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0]);
  for (const file of files) hash.update(fs.readFileSync(file));
  return hash.digest('hex');
}

/** Returns a fingerprint of names, sizes and times of files. */
function hashStats(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    hash.update(`${file}\0${stat?.size}\0${stat?.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function listFiles(place) {
  const stat = fs.statSync(place, { throwIfNoEntry: false });
  if (!stat) return [];
  if (stat.isFile()) return [place];
  return fs
    .readdirSync(place)
    .sort()
    .filter((name) => name !== '__pycache__' && name !== 'node_modules' && !name.endsWith('.tsbuildinfo'))
    .flatMap((name) => listFiles(path.join(place, name)));
}

function npm() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}
