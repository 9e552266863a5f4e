import Module from 'node:module';
import { dirname } from 'node:path';

/*
 * The parts of Node.js's own loader of CommonJS that it does not declare.
 */

interface InternalModule extends NodeModule {
  _compile(code: string, path: string): void;
}

/** The folders in which packages are looked for that a file of this folder requires. */
export function packageFolders(folder: string): string[] {
  return (Module as unknown as { _nodeModulePaths(folder: string): string[] })._nodeModulePaths(folder);
}

/** Returns a module for a file, which is not loaded. */
export function newModule(path: string): NodeModule {
  return Object.assign(new Module(path, require.main), { filename: path, paths: packageFolders(dirname(path)) });
}

/** Runs code as that of a module. */
export function runModule(module: NodeModule, code: string, path: string): void {
  (module as InternalModule)._compile(code, path);
}
