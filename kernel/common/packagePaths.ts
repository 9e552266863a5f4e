import * as fs from 'node:fs';
import * as path from 'node:path';

/** The folder of the package: the one with `package.json`. */
export const packageRoot: string = findPackageRoot(__dirname);

/** The folder of the compiled code that runs: `dist`, or that of the tests (see scripts/setup.mjs). */
export const buildRoot: string = path.dirname(path.dirname(__dirname));

/**
 * Returns the path of the Python interpreter that Joylab uses:
 * `$JOYLAB_PYTHON`, else that of the environment inside the package, which
 * set-up makes.
 *
 * @throws Error when there is no file at that path
 */
export function pythonPath(): string {
  const chosen = process.env.JOYLAB_PYTHON || environmentPython(path.join(packageRoot, '.venv'));
  if (fs.existsSync(chosen)) return chosen;
  const isCheckout = fs.existsSync(path.join(packageRoot, 'package-lock.json'));
  throw new Error(
    `There is no Python at ${chosen}. ${isCheckout ? `Run \`npm start\` in ${packageRoot} once: it makes the environment. Or let` : 'Let'} ` +
      '$JOYLAB_PYTHON name a Python that has the packages jupyterlab, openenv and ale-py; `joylab install --sys-prefix` notes it in the kernelspec.',
  );
}

/** Returns the path of the interpreter of a Python environment. */
export function environmentPython(prefix: string): string {
  return path.join(prefix, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
}

/** Returns the requirements, as pip takes them, of the Python that runs environment servers. */
export function serverPackages(): string[] {
  const lines = fs.readFileSync(path.join(packageRoot, 'scripts', 'requirements.txt'), 'utf8').split('\n');
  return lines.filter((line) => /^(openenv|ale-py)==/.test(line));
}

/** Returns the prefix of the Python environment: where Jupyter looks for kernels and extensions. */
export function pythonPrefix(): string {
  return path.dirname(path.dirname(pythonPath()));
}

/** Returns the nearest folder above with `package.json`: compiled code and its source are both below it. */
function findPackageRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`No package.json above ${from}.`);
  }
}
