import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { packageRoot, pythonPath } from '../common/packagePaths';
import { notebookOfScript } from './script';

/**
 * Runs a notebook from top to bottom without a browser and saves it with its outputs,
 * also when a cell fails. Prints a line per cell and per training step. Resolves to 0,
 * or to 1 when a cell failed. A TypeScript file runs as the notebook of its cells: what they
 * show is printed, and saved where an output is given, which is a notebook.
 *
 * @param output by default the notebook itself
 * @throws Error when there is no such file, or the output is not to be a notebook
 */
export async function runNotebook(file: string, output?: string): Promise<number> {
  if (!fs.existsSync(file)) throw new Error(`There is no notebook at ${path.resolve(file)}.`);
  if (!file.endsWith('.ts')) return run(file, file, output ?? file);
  if (output !== undefined && !output.endsWith('.ipynb'))
    throw new Error(`--output ${output} is to be a notebook: give it a name that ends with .ipynb.`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-run-'));
  try {
    const notebook = path.join(folder, 'notebook.ipynb');
    fs.writeFileSync(notebook, JSON.stringify(notebookOfScript(fs.readFileSync(file, 'utf8'))));
    return await run(file, notebook, output ?? '');
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a notebook in the place of a file. */
function run(file: string, notebook: string, output: string): Promise<number> {
  const script = path.join(packageRoot, 'kernel', 'run', 'run_notebook.py');
  const args = ['-u', script, notebook, output, path.dirname(path.resolve(file))];
  return new Promise((resolve, reject) => {
    // As Jupyter Server does: the kernel finds what the notebook has saved.
    const env = { ...process.env, JPY_SESSION_NAME: path.resolve(file) };
    const child = spawn(pythonPath(), args, { stdio: 'inherit', env });
    // Ctrl-C reaches the script, too: it saves what there is.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGINT'));
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
