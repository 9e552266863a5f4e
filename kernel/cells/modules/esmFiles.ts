import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LocalModules } from './localModules';
import { isRelative } from './specifier';

/**
 * The user's own ECMAScript modules in JavaScript. Node.js keeps what it has
 * loaded from a URL for good: a file that changed is loaded from another one.
 */
export class EsmFiles {
  /** The time of each file's last change, as it was first loaded. */
  private readonly first = new Map<string, number>();

  constructor(private readonly modules: LocalModules) {}

  /** The URL of the file that a specifier names, in its present version; `null`: not such a file. */
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

/** Returns what a specifier names; `null` where there is no file: the import itself says so. */
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
