import * as fs from 'node:fs';
import * as path from 'node:path';

/** The folder of the package: the one with `package.json`. */
export const packageRoot: string = findPackageRoot(__dirname);

/** The folder of the compiled code that runs: `dist`, or that of the tests (see scripts/setup.mjs). */
export const buildRoot: string = path.dirname(path.dirname(__dirname));

/**
 * The Python interpreter that Joylab uses: `$JOYLAB_PYTHON`, else the one of
 * the environment that set-up made inside the package.
 *
 * Throws when there is none.
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

/** The interpreter of a Python environment. */
export function environmentPython(prefix: string): string {
  return path.join(prefix, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
}

/** Returns the packages that the Python of environment servers must have, as pip takes them. */
export function serverPackages(): string[] {
  const lines = fs.readFileSync(path.join(packageRoot, 'scripts', 'requirements.txt'), 'utf8').split('\n');
  return lines.filter((line) => /^(openenv|ale-py)==/.test(line));
}

/** The prefix of the Python environment: where Jupyter looks for kernels and extensions. */
export function pythonPrefix(): string {
  return path.dirname(path.dirname(pythonPath()));
}

/** Compiled code and its source are both below the package's folder. */
function findPackageRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`No package.json above ${from}.`);
  }
}
