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

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const stamps = path.join(root, '.venv', 'joylab');

/** Sets up what is missing. `tests`: also what only the tests need. */
export async function setup({ tests = false } = {}) {
  checkNode();
  await together(
    async () => {
      await installPackages();
      await build();
      if (tests) await prepareBrowser();
    },
    () => installPython(tests)
  );
  await register();
}

/** Does what is independent of one another at once. When some of it fails, the rest is still done: it need not be done again. */
async function together(...works) {
  const failed = (await Promise.allSettled(works.map(work => work()))).find(({ status }) => status === 'rejected');
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
  throw new SetupError(`Joylab needs Node.js 20.19 or newer; this is ${process.versions.node}. Install a newer one (nodejs.org) and run the command again.`);
}

async function installPackages() {
  const modules = path.join(root, 'node_modules', '.joylab');
  const wanted = hashFiles([path.join(root, 'package-lock.json')]);
  if (read(modules) === wanted) return;
  await step('Installing npm packages', () => runQuietly(npm(), ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    shell: process.platform === 'win32'
  }));
  fs.writeFileSync(modules, wanted);
}

async function installPython(tests) {
  await makeEnvironment(root);
  await installRequirements('', 'Installing JupyterLab, OpenEnv and the Arcade Learning Environment');
  if (!tests) return;
  checkPython(root, 11, 'the tests: transformers and ONNX Runtime no longer know older ones');
  await installRequirements('-test', 'Installing what the tests compare with (PyTorch, transformers, PEFT, TRL)');
}

/** `kind`: what stands behind the names of the lists: what is asked for, and the versions of that and of all it needs. */
async function installRequirements(kind, title) {
  const list = name => path.join(root, 'kernel', 'setup', `${name}${kind}.txt`);
  const translator = listFiles(path.join(root, 'kernel', 'papermill'));
  await unlessDone(`requirements${kind}`, hashFiles([list('requirements'), list('constraints'), ...translator]), '.venv', () =>
    step(title, () => runQuietly(venvPython(root), ['-m', 'pip', 'install', '--disable-pip-version-check', '-r', list('requirements'), '-c', list('constraints')], { cwd: root })));
}

async function build() {
  const sources = ['kernel', 'test', 'bench', 'tsconfig.json', 'package-lock.json'].flatMap(name => listFiles(path.join(root, name)));
  await unlessDone('kernel-build', hashStats(sources), 'dist/kernel/cli.js', () =>
    step('Building the kernel', () => runQuietly(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { cwd: root })));
  const browserSide = ['extension', 'style', 'kernel/display', 'kernel/jupyter/outputsComm.ts', 'package-lock.json'].flatMap(name => listFiles(path.join(root, name)));
  await unlessDone('extension-build', hashStats(browserSide), 'dist/labextension/package.json', () =>
    step('Building the JupyterLab extension', () => runQuietly(npm(), ['run', 'build:extension'], { cwd: root, shell: process.platform === 'win32' })));
}

/** Registers kernel and extension in the project's own environment, and nowhere else. */
async function register() {
  const files = ['kernel-build', 'extension-build'].map(name => path.join(stamps, name));
  await unlessDone('registered', hashFiles(files), '.venv/share/jupyter/kernels/joylab/kernel.json', () =>
    step('Registering kernel and extension in the project’s environment', () =>
      runQuietly(process.execPath, ['dist/kernel/cli.js', 'install', '--prefix', path.join(root, '.venv')], { cwd: root })));
}

/** Runs `work` unless it was done before with the same fingerprint and its product is still there. */
async function unlessDone(name, fingerprint, product, work) {
  const stamp = path.join(stamps, name);
  if (read(stamp) === fingerprint && fs.existsSync(path.join(root, product))) return;
  fs.rmSync(stamp, { force: true });
  await work();
  fs.mkdirSync(stamps, { recursive: true });
  fs.writeFileSync(stamp, fingerprint);
}

function read(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
}

function hashFiles(files) {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0]);
  for (const file of files) hash.update(fs.readFileSync(file));
  return hash.digest('hex');
}

/** A fingerprint of names, sizes and times. */
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
  return fs.readdirSync(place).sort()
    .filter(name => name !== '__pycache__' && name !== 'node_modules' && !name.endsWith('.tsbuildinfo'))
    .flatMap(name => listFiles(path.join(place, name)));
}

function npm() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}
