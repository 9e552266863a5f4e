import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot, pythonPath } from '../common/packagePaths';

/**
 * Runs a notebook from top to bottom without a browser and saves it with its outputs,
 * also when a cell fails. Prints a line per cell and per training step. Resolves to 0,
 * or to 1 when a cell failed. Throws when there is no such notebook.
 */
export function runNotebook(notebook: string, output: string): Promise<number> {
  if (!fs.existsSync(notebook)) throw new Error(`There is no notebook at ${path.resolve(notebook)}.`);
  const script = path.join(packageRoot, 'kernel', 'run', 'run_notebook.py');
  return new Promise((resolve, reject) => {
    // As Jupyter Server does: the kernel finds what the notebook has saved.
    const env = { ...process.env, JPY_SESSION_NAME: path.resolve(notebook) };
    const child = spawn(pythonPath(), ['-u', script, notebook, output], { stdio: 'inherit', env });
    // Ctrl-C reaches the script, too: it saves what there is.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGINT'));
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
