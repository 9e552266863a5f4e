// The Python environment inside the project.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SetupError, runQuietly, step } from './steps.mjs';

const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

export function venvPython(root) {
  return path.join(root, '.venv', ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
}

/** Creates the environment when it is missing or its interpreter no longer runs. */
export async function makeEnvironment(root) {
  const python = venvPython(root);
  if (fs.existsSync(python) && spawnSync(python, ['-m', 'pip', '--version']).status === 0) return;
  const base = findPython();
  await step('Making a Python environment in .venv', async () => {
    fs.rmSync(path.join(root, '.venv'), { recursive: true, force: true });
    try {
      await runQuietly(base, ['-m', 'venv', path.join(root, '.venv')]);
    } catch (error) {
      fs.rmSync(path.join(root, '.venv'), { recursive: true, force: true });
      if (!/ensurepip|No module named venv/.test(error.message)) throw error;
      throw new SetupError(
        'Python’s venv module is missing: install it (Debian and Ubuntu: `apt install python3-venv`) and run the command again.',
      );
    }
  });
}

/** Throws a SetupError when the environment's Python is older than 3.`minor`, which `what` needs. */
export function checkPython(root, minor, what) {
  const found = version(venvPython(root));
  if (found[1] >= minor) return;
  throw new SetupError(
    `The environment in .venv has Python ${found.join('.')}, and 3.${minor} is needed for ${what}. Delete .venv, install a newer Python and run the command again.`,
  );
}

/**
 * Returns the first Python of at least 3.10 on the PATH, or the one that
 * `$JOYLAB_BASE_PYTHON` names. Throws a SetupError when there is none.
 */
export function findPython() {
  const named = process.env.JOYLAB_BASE_PYTHON;
  const found = [];
  for (const command of named ? [named] : CANDIDATES) {
    const [major, minor] = version(command);
    if (major === 3 && minor >= 10) return command;
    if (major) found.push(`${command} is ${major}.${minor}`);
  }
  const seen = found.length ? `found only: ${found.join(', ')}` : 'none was found';
  throw new SetupError(
    `Joylab needs Python 3.10 or newer with its venv module; ${seen}. Install one (python.org, or \`apt install python3 python3-venv\`) and run the command again.`,
  );
}

/** Returns major and minor version of an interpreter; an empty list where it does not run. */
function version(command) {
  const result = spawnSync(command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim().split('.').map(Number) : [];
}
