import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot, pythonPath, pythonPrefix } from '../common/packagePaths';

/**
 * Opens JupyterLab, on `notebooks/atari.ipynb` unless the arguments name another
 * notebook. Options are passed to JupyterLab. Resolves to its exit code.
 */
export function lab(args: string[]): Promise<number> {
  const target = args.some((argument) => !argument.startsWith('-') && argument.endsWith('.ipynb'))
    ? []
    : [path.join(packageRoot, 'notebooks', 'atari.ipynb')];
  turnOffNews();
  const root = process.getuid?.() === 0 ? ['--allow-root'] : [];
  return new Promise((resolve, reject) => {
    const child = spawn(pythonPath(), ['-m', 'jupyterlab', ...target, ...root, ...args], { stdio: 'inherit' });
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Turns JupyterLab's question about news off, in this Python environment only. */
function turnOffNews(): void {
  const file = path.join(pythonPrefix(), 'share', 'jupyter', 'lab', 'settings', 'overrides.json');
  if (fs.existsSync(file)) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(
    file,
    JSON.stringify({ '@jupyterlab/apputils-extension:notification': { fetchNews: 'false' } }, null, 2) + '\n',
  );
}
