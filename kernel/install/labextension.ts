import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../common/packagePaths';

/**
 * Copies the built extension to `labextensions/joylab` of a Jupyter data folder
 * (`<prefix>/share/jupyter`), where JupyterLab finds it. Returns that folder.
 *
 * @throws Error when the extension is not built
 */
export function installLabextension(data: string): string {
  const source = path.join(packageRoot, 'dist', 'labextension');
  if (!fs.existsSync(path.join(source, 'package.json'))) {
    throw new Error(`The JupyterLab extension is not built: run \`npm run build:extension\` in ${packageRoot}.`);
  }
  const target = folderIn(data);
  fs.rmSync(target, { recursive: true, force: true });
  fs.cpSync(source, target, { recursive: true });
  const record = { packageManager: 'npm', packageName: 'joylab', uninstallInstructions: 'Run `joylab uninstall`.' };
  fs.writeFileSync(path.join(target, 'install.json'), JSON.stringify(record, null, 2) + '\n');
  return target;
}

/** Removes the extension from a Jupyter data folder. Returns the folders that it removed. */
export function uninstallLabextension(data: string): string[] {
  const target = folderIn(data);
  if (!fs.existsSync(target)) return [];
  fs.rmSync(target, { recursive: true });
  return [target];
}

function folderIn(data: string): string {
  return path.join(data, 'labextensions', 'joylab');
}
