import { existsSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { buildRoot } from '../../../common/packagePaths';
import { ANYWIDGET } from '../../compile/program/options';
import { isRelative } from '../../modules/specifier';
import { replace, type Undo } from '../replace';
import { packageFolders } from './modules';

type Resolve = (request: string, parent?: { filename?: string | null } | null, ...rest: unknown[]) => string;

/** TypeScript's file for a JavaScript file's ending. */
const SOURCES: Record<string, string[]> = { '.js': ['.ts', '.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] };

/**
 * Makes `require` find what a notebook may import from any folder:
 *
 * - `joylab` and `tslab` are the kernel's own copies, so that a notebook and
 *   the kernel share one cell context;
 * - anywidget's package for Deno is joylab/widgets;
 * - packages that the notebook's folder lacks are looked for in Joylab's;
 * - `./file.js` is `./file.ts` where only that exists, as in TypeScript.
 *
 * @param isVirtual whether a path is a module that a cell declared
 */
export function installResolution(packageRoot: string, isVirtual: (path: string) => boolean): Undo {
  const original = (Module as unknown as { _resolveFilename: Resolve })._resolveFilename;
  const own = createRequire(join(packageRoot, 'package.json'));
  const known: Record<string, string> = {
    joylab: join(buildRoot, 'kernel', 'index.js'),
    'joylab/internal': join(buildRoot, 'kernel', 'internal.js'),
    'joylab/widgets': join(buildRoot, 'kernel', 'display', 'widgets', 'index.js'),
    [ANYWIDGET]: join(buildRoot, 'kernel', 'display', 'widgets', 'index.js'),
    tslab: own.resolve('tslab'),
  };
  const resolveFilename: Resolve = function (this: unknown, request, parent, ...rest) {
    if (Object.hasOwn(known, request)) return known[request];
    const folder = parent?.filename ? dirname(parent.filename) : '';
    if (isRelative(request) && folder) {
      const virtual = ['', '.ts', '.tsx'].map((ending) => resolve(folder, request) + ending).find(isVirtual);
      if (virtual) return virtual;
    }
    try {
      return original.call(this, request, parent, ...rest);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND' && !folder.includes('node_modules');
      const found = missing ? (isRelative(request) ? sourceFile(resolve(folder, request)) : fromJoylab(request)) : null;
      if (found) return found;
      throw error;
    }
  };
  return replace(Module, { _resolveFilename: resolveFilename });

  function fromJoylab(request: string): string | null {
    try {
      return original.call(Module, request, {
        filename: join(packageRoot, 'package.json'),
        paths: packageFolders(packageRoot),
      } as never);
    } catch {
      return null;
    }
  }
}

function sourceFile(path: string): string | null {
  const ending = extname(path);
  const stem = path.slice(0, path.length - ending.length);
  return (SOURCES[ending] ?? []).map((it) => stem + it).find((it) => existsSync(it)) ?? null;
}
