import Module from 'node:module';
import type { LocalModules } from '../../modules/localModules';
import { replace, type Undo } from '../replace';

type Extension = (module: NodeModule, path: string) => void;

/** Makes `require` compile TypeScript, and note which files of the user it loads. */
export function installExtensions(modules: LocalModules): Undo {
  const extensions = (Module as unknown as { _extensions: Record<string, Extension> })._extensions;
  const noted = (ending: string): Extension => {
    const original = extensions[ending] ?? extensions['.js'];
    return (module, path) => {
      if (modules.isLocal(path)) modules.watch(path);
      original(module, path);
    };
  };
  const compiled: Extension = (module, path) => modules.compile(module, path);
  return replace(extensions, {
    '.js': noted('.js'),
    '.cjs': noted('.cjs'),
    '.json': noted('.json'),
    '.ts': compiled,
    '.tsx': compiled,
    '.cts': compiled,
    '.mts': compiled,
  });
}
