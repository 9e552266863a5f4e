import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from './python';

/**
 * Copies the built extension to `<prefix>/share/jupyter/labextensions/joylab`,
 * where JupyterLab finds it. Returns that folder.
 * Throws when the extension has not been built.
 */
export function installLabextension({ prefix }: { prefix: string }): string {
  const source = path.join(packageRoot, 'dist', 'labextension');
  if (!fs.existsSync(path.join(source, 'package.json'))) {
    throw new Error(`The JupyterLab extension is not built: run \`npm run build:extension\` in ${packageRoot}.`);
  }
  const target = path.join(prefix, 'share', 'jupyter', 'labextensions', 'joylab');
  fs.rmSync(target, { recursive: true, force: true });
  fs.cpSync(source, target, { recursive: true });
  const record = {
    packageManager: 'npm',
    packageName: 'joylab',
    uninstallInstructions: `Delete the folder ${target}.`
  };
  fs.writeFileSync(path.join(target, 'install.json'), JSON.stringify(record, null, 2) + '\n');
  return target;
}
