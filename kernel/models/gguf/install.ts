import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../common/cacheFolder';
import { cellContext } from '../../display/cellContext';
import { withProgress } from '../../display/progress/progress';
import { packageRoot } from '../../common/packagePaths';

/*
 * llama.cpp for Node.js is brought when the first GGUF model is loaded, and
 * never with Joylab: most never need it. Its packages and their versions are
 * those of llamaPackages.json, whose hashes npm checks; of the binaries only
 * those of this machine's processor come (CUDA's and Vulkan's take 620 MB).
 */

const NAME = 'node-llama-cpp';
/** About the number of packages that are installed, which have 83 MB. */
const PACKAGES = 92;

/** Packages with llama.cpp's binaries, by platform and processor. */
const BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'linux-arm': 'linux-armv7l',
  'linux-riscv64': 'linux-riscv64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};

interface Lock {
  packages: Record<string, { version: string; optional?: boolean; dependencies?: Record<string, string> }>;
}

/**
 * Resolves to the folder of node-llama-cpp: the one that `$JOYLAB_LLAMA_CPP` names, or
 * that among the user's caches, into which it is installed at the first call.
 */
export async function llamaPackage(): Promise<string> {
  const named = process.env.JOYLAB_LLAMA_CPP;
  if (named) {
    const folder = [named, join(named, 'node_modules', NAME)].find((one) => isPackage(one));
    if (folder) return folder;
    throw new Error(
      `JOYLAB_LLAMA_CPP is ${named}, where there is no package ${NAME}; name a folder in which it is installed`,
    );
  }
  const lock = readLock();
  const caches = cacheFolder();
  if (!caches)
    throw new Error(
      `JOYLAB_CACHE is empty, so there is no place to install ${NAME} in; let it name a folder, or JOYLAB_LLAMA_CPP one in which it is installed`,
    );
  const folder = join(
    caches,
    `${NAME}-${lock.packages[`node_modules/${NAME}`].version}-${process.platform}-${process.arch}`,
  );
  const installed = join(folder, 'node_modules', NAME);
  if (!isPackage(installed)) await install(folder, lock);
  return installed;
}

function isPackage(folder: string): boolean {
  const file = join(folder, 'package.json');
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === NAME;
}

function readLock(): Lock {
  return JSON.parse(readFileSync(join(packageRoot, 'kernel/models/gguf/llamaPackages.json'), 'utf8')) as Lock;
}

/** Installs into a folder beside `folder`, then renames it: `folder` is complete or missing, also where two processes install. */
async function install(folder: string, lock: Lock): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const partial = mkdtempSync(`${folder}.partial-`);
  try {
    writePackages(partial, lock);
    await withProgress(`Installing ${NAME}, 83 MB, once`, PACKAGES, async (task) => {
      const modules = join(partial, 'node_modules');
      const timer = setInterval(
        () => task.update(existsSync(modules) ? Math.min(PACKAGES, readdirSync(modules).length) : 0),
        500,
      );
      await npmCi(partial).finally(() => clearInterval(timer));
    });
    if (!isPackage(join(partial, 'node_modules', NAME))) throw new Error('npm installed nothing');
    // What another process has brought meanwhile is in use.
    if (isPackage(join(folder, 'node_modules', NAME))) rmSync(partial, { recursive: true, force: true });
    else {
      rmSync(folder, { recursive: true, force: true });
      renameSync(partial, folder);
    }
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    cellContext().signal.throwIfAborted();
    if (isPackage(join(folder, 'node_modules', NAME))) return;
    const what = `${NAME}@${lock.packages[`node_modules/${NAME}`].version} @node-llama-cpp/${binary()}`;
    throw new Error(
      `A GGUF model needs node-llama-cpp, which could not be installed (${(error as Error).message}). With a network run \`joylab gguf install\`; ` +
        `or install it elsewhere (\`npm install --omit=optional --ignore-scripts ${what}\`), copy the folder here and let JOYLAB_LLAMA_CPP name it.`,
      { cause: error },
    );
  }
}

function binary(): string {
  const name = BINARIES[`${process.platform}-${process.arch}`];
  if (!name)
    throw new Error(
      `node-llama-cpp has no binary for ${process.platform} on ${process.arch}: GGUF models run on ${Object.keys(BINARIES).join(', ')}`,
    );
  return name;
}

/**
 * Writes `package.json` and its lock. The binary of this machine is named as a
 * dependency, since no optional packages are installed.
 */
function writePackages(folder: string, lock: Lock): void {
  const name = `@node-llama-cpp/${binary()}`;
  const { packages } = lock;
  const dependencies = { ...packages[''].dependencies, [name]: packages[`node_modules/${name}`].version };
  packages[''].dependencies = dependencies;
  delete packages[`node_modules/${name}`].optional;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'joylab-llama', private: true, dependencies }));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
}

/** Options of npm by which a missing network is an error within seconds, not minutes. */
const SOON = ['--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=8000'];

/** Runs `npm ci` with the user's settings: registry, proxy, certificates. */
function npmCi(folder: string): Promise<void> {
  const windows = process.platform === 'win32';
  const beside = join(dirname(process.execPath), windows ? 'npm.cmd' : 'npm');
  const args = ['ci', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...SOON];
  const child = spawn(existsSync(beside) ? `"${beside}"` : 'npm', args, {
    cwd: folder,
    shell: true,
    signal: cellContext().signal,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => (output = (output + data).slice(-2000)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`npm: ${firstLines(output) || `exit code ${code}`}`)),
    );
  });
}

/** Returns the first lines of npm's output, which say what failed, without the path of its log. */
function firstLines(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim());
  return lines
    .filter((line) => line !== '' && !/^(?:code|syscall|errno|type|A complete log)\b|_logs/.test(line))
    .slice(0, 3)
    .join('; ');
}
