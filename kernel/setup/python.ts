import * as fs from 'node:fs';
import * as path from 'node:path';

/** The folder of the package: the one with `package.json`. */
export const packageRoot: string = findPackageRoot(__dirname);

/**
 * The Python interpreter that Joylab uses: `$JOYLAB_PYTHON`, else the one of
 * the environment that set-up made inside the package.
 *
 * Throws when there is none.
 */
export function pythonPath(): string {
  const chosen = process.env.JOYLAB_PYTHON ?? path.join(packageRoot, '.venv', ...venvPython());
  if (!fs.existsSync(chosen)) {
    throw new Error(`There is no Python at ${chosen}. Run \`npm start\` in ${packageRoot} once: it makes the environment.`);
  }
  return chosen;
}

/** The prefix of the Python environment: where Jupyter looks for kernels and extensions. */
export function pythonPrefix(): string {
  return path.dirname(path.dirname(pythonPath()));
}

function venvPython(): string[] {
  return process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
}

/** Compiled code lies in `dist/kernel/setup`, its source in `kernel/setup`: both are below the package's folder. */
function findPackageRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`No package.json above ${from}.`);
  }
}
