// The Python environment inside the project.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SetupError, runQuietly, step } from './steps.mjs';

const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

export function venvPython(root) {
  return path.join(root, '.venv', ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
}

/** Makes the environment when it is missing or its interpreter no longer runs. */
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
      throw new SetupError('Python’s venv module is missing: install it (Debian and Ubuntu: `apt install python3-venv`) and run the command again.');
    }
  });
}

/** The first Python of at least 3.10 on the PATH, or the one `$JOYLAB_BASE_PYTHON` names. */
export function findPython() {
  const named = process.env.JOYLAB_BASE_PYTHON;
  const found = [];
  for (const command of named ? [named] : CANDIDATES) {
    const result = spawnSync(command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8' });
    if (result.status !== 0) continue;
    const [major, minor] = result.stdout.trim().split('.').map(Number);
    if (major === 3 && minor >= 10) return command;
    found.push(`${command} is ${result.stdout.trim()}`);
  }
  const seen = found.length ? `found only: ${found.join(', ')}` : 'none was found';
  throw new SetupError(`Joylab needs Python 3.10 or newer with its venv module; ${seen}. Install one (python.org, or \`apt install python3 python3-venv\`) and run the command again.`);
}
