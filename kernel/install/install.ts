import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { userDataFolder } from '../common/jupyterFolder';
import { installLabextension, uninstallLabextension } from './labextension';
import { buildRoot, environmentPython, packageRoot, serverPackages } from '../common/packagePaths';

/** The place where kernel and extension are installed, and their name. At most one of `user`, `sysPrefix` and `prefix`. */
export interface InstallOptions {
  /** For this user, in Jupyter's data folder. */
  user?: boolean;
  /** In the Python environment that is active: the one of `python` on the PATH. */
  sysPrefix?: boolean;
  /** In a folder that has, or gets, `share/jupyter`. */
  prefix?: string;
  /** The kernel's name in Jupyter; by default "joylab". */
  name?: string;
  /** The name in launchers and menus; by default "Joylab (TypeScript)". */
  displayName?: string;
}

/** The kernel's name in Jupyter: `jupyter console --kernel joylab`. */
export const KERNEL_NAME = 'joylab';

const DISPLAY_NAME = 'Joylab (TypeScript)';
const LOGOS = ['logo-64x64.png', 'logo-svg.svg'];

/** A Jupyter data folder, and the Python of its prefix; `null`: the package's own, or none. */
interface Target {
  data: string;
  python: string | null;
}

/**
 * Installs kernel and extension, and replaces earlier ones. Returns their folders.
 *
 * @throws Error when several places are given, when there is no Python for `sysPrefix`, for a name that is not valid,
 *   and when the extension is not built
 */
export function install(options: InstallOptions = {}): string[] {
  const target = findTarget(options);
  return [installKernel({ ...options, ...target }), installLabextension(target.data)];
}

/**
 * Removes what {@link install} installed with the same options. Returns the folders that it removed.
 *
 * @throws Error when there is no Joylab kernel of that name, with the names of those that there are
 */
export function uninstall(options: InstallOptions = {}): string[] {
  const { data } = findTarget(options);
  const name = checkedName(options.name);
  const folder = path.join(data, 'kernels', name);
  if (!isOurs(folder)) {
    const others = ourKernels(data);
    throw new Error(
      `There is no Joylab kernel at ${folder}.${others.length ? ` Here are: ${others.map((it) => `--name ${it}`).join(', ')}.` : ''}`,
    );
  }
  fs.rmSync(folder, { recursive: true });
  // Other names of the kernel share the extension.
  return ourKernels(data).length > 0 ? [folder] : [folder, ...uninstallLabextension(data)];
}

/** Returns a sentence that says how to install the packages for environments that the Python of `options` lacks; `null` when it has them. */
export function missingForServers(options: InstallOptions): string | null {
  const { python } = findTarget(options);
  if (!python) return null;
  const { status } = spawnSync(python, [
    '-c',
    'import importlib.util as u, sys; sys.exit(not (u.find_spec("openenv") and u.find_spec("ale_py")))',
  ]);
  return status === 0
    ? null
    : `Environments such as Atari need more in this Python: ${python} -m pip install ${serverPackages().join(' ')}`;
}

/** Registers the kernel in a Jupyter data folder (`<prefix>/share/jupyter`). Returns the kernelspec's folder. */
export function installKernel({
  data,
  python = null,
  name,
  displayName,
}: Pick<InstallOptions, 'name' | 'displayName'> & { data: string; python?: string | null }): string {
  const folder = path.join(data, 'kernels', checkedName(name));
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(
    path.join(folder, 'kernel.json'),
    JSON.stringify(kernelSpec(displayName ?? DISPLAY_NAME, python), null, 2) + '\n',
  );
  for (const logo of LOGOS) fs.copyFileSync(path.join(packageRoot, 'kernel', 'logo', logo), path.join(folder, logo));
  return folder;
}

/** Returns the Jupyter data folder below a prefix. */
export function dataFolder(prefix: string): string {
  return path.join(path.resolve(prefix), 'share', 'jupyter');
}

function kernelSpec(displayName: string, python: string | null): object {
  return {
    argv: [process.execPath, path.join(buildRoot, 'kernel', 'cli.js'), 'kernel', '{connection_file}'],
    display_name: displayName,
    language: 'typescript',
    interrupt_mode: 'message',
    // Environment servers run with the Python that Jupyter runs with.
    ...(python && { env: { JOYLAB_PYTHON: python } }),
    metadata: { debugger: false, joylab: true },
  };
}

function findTarget({ user, sysPrefix, prefix }: InstallOptions): Target {
  const given = Object.entries({ '--user': user, '--sys-prefix': sysPrefix, '--prefix': prefix }).filter(
    ([, value]) => value,
  );
  if (given.length > 1)
    throw new Error(`${given.map(([name]) => name).join(' and ')} name different places: give one of them.`);
  if (prefix) return atPrefix(prefix);
  if (sysPrefix) return atPrefix(activePrefix());
  const own = path.join(packageRoot, '.venv');
  if (!user && fs.existsSync(environmentPython(own))) return { data: dataFolder(own), python: null };
  return { data: userDataFolder(), python: null };
}

function atPrefix(prefix: string): Target {
  const python = environmentPython(path.resolve(prefix));
  const own = path.join(packageRoot, '.venv');
  return { data: dataFolder(prefix), python: path.resolve(prefix) !== own && fs.existsSync(python) ? python : null };
}

/** Returns `sys.prefix` of the Python that is active. */
function activePrefix(): string {
  for (const command of ['python', 'python3']) {
    const { status, stdout } = spawnSync(command, ['-c', 'import sys; print(sys.prefix)'], { encoding: 'utf8' });
    if (status === 0) return stdout.trim();
  }
  throw new Error(
    'There is no `python` on the PATH: activate the environment that Jupyter is installed in, or give --prefix FOLDER.',
  );
}

function checkedName(name = KERNEL_NAME): string {
  if (!/^[a-z0-9._-]+$/i.test(name))
    throw new Error(`"${name}" cannot be a kernel's name. Valid: letters without accents, digits, "-", "_" and ".".`);
  return name.toLowerCase();
}

function ourKernels(data: string): string[] {
  const kernels = path.join(data, 'kernels');
  if (!fs.existsSync(kernels)) return [];
  return fs.readdirSync(kernels).filter((name) => isOurs(path.join(kernels, name)));
}

function isOurs(folder: string): boolean {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, 'kernel.json'), 'utf8')).metadata.joylab === true;
  } catch {
    return false;
  }
}
