import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LocalModules } from './localModules';
import { isRelative } from './specifier';

/**
 * The user's own ECMAScript modules in JavaScript. Node.js never loads a URL
 * again, so that a file that has changed is loaded from another URL.
 */
export class EsmFiles {
  /** The time of each file's last change when it was first loaded, in milliseconds. */
  private readonly first = new Map<string, number>();

  constructor(private readonly modules: LocalModules) {}

  /** Returns the URL of the present version of the file that a specifier names; `null` when it is not such a file. */
  urlOf(specifier: string, require: NodeRequire): string | null {
    if (!isRelative(specifier)) return null;
    const path = resolved(specifier, require);
    if (!path || !isEsm(path) || !this.modules.isLocal(path)) return null;
    const changed = statSync(path).mtimeMs;
    if (!this.first.has(path)) this.first.set(path, changed);
    this.modules.watch(path);
    const url = pathToFileURL(path);
    if (this.first.get(path) !== changed) url.search = `changed=${changed}`;
    return url.href;
  }
}

/** Returns the path that a specifier names; `null` when there is no file, which the import itself reports. */
function resolved(specifier: string, require: NodeRequire): string | null {
  try {
    const path = require.resolve(specifier);
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

function isEsm(path: string): boolean {
  const ending = extname(path);
  if (ending !== '.js') return ending === '.mjs';
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).type === 'module';
    if (folder === dirname(folder)) return false;
  }
}
