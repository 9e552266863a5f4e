import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from './setup/python';

/** Where {@link installKernel} installs. */
export interface InstallOptions {
  /** A Jupyter prefix: the folder that has, or gets, `share/jupyter`. */
  prefix: string;
}

/** The kernel's name in Jupyter: `jupyter console --kernel joylab`. */
export const KERNEL_NAME = 'joylab';

const LOGOS = ['logo-64x64.png', 'logo-svg.svg'];

/** Registers the kernel in a Jupyter prefix; an earlier registration is replaced. Returns the kernelspec's folder. */
export function installKernel({ prefix }: InstallOptions): string {
  const folder = path.join(path.resolve(prefix), 'share', 'jupyter', 'kernels', KERNEL_NAME);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'kernel.json'), JSON.stringify(kernelSpec(), null, 2) + '\n');
  for (const logo of LOGOS) fs.copyFileSync(path.join(packageRoot, 'kernel', 'logo', logo), path.join(folder, logo));
  return folder;
}

function kernelSpec(): object {
  return {
    argv: [process.execPath, path.join(packageRoot, 'dist', 'kernel', 'cli.js'), 'kernel', '{connection_file}'],
    display_name: 'Joylab (TypeScript)',
    language: 'typescript',
    interrupt_mode: 'message',
    metadata: { debugger: false },
  };
}
