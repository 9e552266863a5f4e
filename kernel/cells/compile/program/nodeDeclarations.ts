import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CacheEntry } from '../../../common/cache';

/** Of the way in which files are split: another number, and nothing of before is used. */
const EDITION = 1;

/** Files as they are split. */
interface Split {
  /** Names of files, without their extension, by the modules that they declare. */
  modules: Record<string, string>;
  /** Names of files whose modules a file declares, too: by the names of the files. */
  joined: Record<string, string[]>;
  /** The globals of files that declare modules, too: texts by the names of files. */
  globals: Record<string, string>;
  /** The file that refers to all that has to be there before anything is checked. */
  index: string;
}

/** Parts of a text. */
interface Parts {
  globals: string;
  modules: string;
}

/** The end of the names of modules in which globals are declared: nobody imports them. */
export const GLOBALS_MODULE = ' (globals)';

const EXTENSION = '.d.ts';
const GLOBALS = '.globals';

const REFERENCE = /^\/\/\/ <reference path="(.*)\.d\.ts" \/>$/gm;
const MODULE = /^declare module ["']([^"']+)["']/gm;
const GLOBAL = /^\s+global \{$/m;
/** A declaration beside those of modules. */
const OUTSIDE = /^(?!declare module )[^\s}*/]/m;
/** A declaration at the top level, with the comment before it: the files are formatted. */
const STATEMENT = /(?:^\/\*\*(?:(?!\*\/)[^])*\*\/\n)?^[^\s}*/][^]*?(?=^(?:[^\s}*/]|\/\*\*)|(?![^]))/gm;
/** A module that exports one thing: its other declarations cannot be imported. */
const EXPORT_EQUALS = /^ {4}export = /m;

/**
 * The files of `@types/node`, with the globals apart from the modules: these
 * are most of it, and can be read when something imports them.
 */
export class NodeDeclarations {
  readonly folder = dirname(require.resolve('@types/node/package.json'));
  private readonly split: Split;

  constructor() {
    const entry = new CacheEntry('declarations', [
      EDITION,
      this.folder,
      (require('@types/node/package.json') as { version: string }).version,
    ]);
    const kept = entry.read();
    this.split = kept ? (JSON.parse(kept.toString()) as Split) : splitFiles(this.folder);
    if (!kept) entry.write(JSON.stringify(this.split));
  }

  /** The path of the file that declares a module. */
  module(name: string): string | undefined {
    return Object.hasOwn(this.split.modules, name)
      ? join(this.folder, this.split.modules[name] + EXTENSION)
      : undefined;
  }

  moduleNames(): string[] {
    return Object.keys(this.split.modules);
  }

  /** The text of a file that is another one than on disk, or is not there. */
  text(path: string): string | undefined {
    if (!path.startsWith(this.folder)) return undefined;
    const { globals, joined, index } = this.split;
    const name = path.slice(this.folder.length + 1, -EXTENSION.length).replaceAll('\\', '/');
    if (name === 'index') return index;
    if (name.endsWith(GLOBALS)) return globals[name.slice(0, -GLOBALS.length)];
    const others = joined[name] ?? [];
    if (!Object.hasOwn(globals, name) && others.length === 0) return undefined;
    return [name, ...others]
      .map((it) => splitText(readFileSync(join(this.folder, it + EXTENSION), 'utf8'))!.modules)
      .join('');
  }
}

function splitFiles(folder: string): Split {
  const modules: Split['modules'] = {};
  const globals: Split['globals'] = {};
  const joined: Split['joined'] = {};
  const index = readFileSync(join(folder, `index${EXTENSION}`), 'utf8').replace(REFERENCE, (line, name: string) => {
    const text = readFileSync(join(folder, name + EXTENSION), 'utf8');
    const parts = splitText(text);
    if (!parts) return line;
    for (const [, module] of parts.modules.matchAll(MODULE)) {
      modules[module] ??= name;
      if (modules[module] !== name) (joined[modules[module]] ??= []).push(name);
    }
    if (parts.globals === '') return '';
    globals[name] = parts.globals;
    return `/// <reference path="${name}${GLOBALS}${EXTENSION}" />`;
  });
  return { modules, joined, globals, index };
}

/** `null` where a file has to be read as it is. */
function splitText(text: string): Parts | null {
  const declaresGlobals = GLOBAL.test(text);
  if (!/^declare module /m.test(text) || (declaresGlobals && EXPORT_EQUALS.test(text))) return null;
  if (!declaresGlobals && !OUTSIDE.test(text)) return { globals: '', modules: text };
  const parts: Parts = { globals: '', modules: '' };
  for (const [statement] of text.matchAll(STATEMENT)) {
    const name = /^declare module ["']([^"']+)["'] \{$/m.exec(statement)?.[1];
    if (name === undefined) parts.globals += statement;
    else if (!GLOBAL.test(statement)) parts.modules += statement;
    else {
      const { globals, modules } = splitModule(name, statement);
      parts.globals += globals;
      parts.modules += modules;
    }
  }
  return parts;
}

/** Puts what a module declares globally into a module of its own, which imports what it names. */
function splitModule(name: string, text: string): Parts {
  const blocks: string[] = [];
  const modules = text.replace(/^ {4}global \{\n.*?^ {4}\}\n/gms, (block) => (blocks.push(block), ''));
  const words = new Set(blocks.join('').match(/[\w$]+/g));
  const imports = [...modules.matchAll(/^ {4}import .*?;\n/gms)].map(([statement]) => statement);
  const declared = [
    ...modules.matchAll(
      /^ {4}(?:export )?(?:abstract )?(?:class|const|enum|function|interface|let|namespace|type|var) ([\w$]+)/gm,
    ),
  ].map(([, it]) => it);
  const needed = [...new Set(declared)].filter((it) => words.has(it));
  const link = needed.length > 0 ? `    import { ${needed.join(', ')} } from "${name}";\n` : '';
  return {
    globals: `declare module "${name}${GLOBALS_MODULE}" {\n${imports.join('')}${link}${blocks.join('')}}\n`,
    modules,
  };
}
