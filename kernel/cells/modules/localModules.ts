import { readFileSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import type * as ts from 'typescript';
import { interruptible } from '../interrupt/guards';
import { newModule, runModule } from '../patches/modules/modules';
import { OutputMap, type Place } from '../compile/emit/outputMap';
import { awaits } from '../compile/await';
import { typescript } from '../compile/typescript';
import { buildRoot } from '../../common/packagePaths';
import { ModuleToAwait } from './moduleToAwait';

interface Loaded {
  /** Time of the file's last change when it was loaded, in milliseconds. */
  changed: number;
  /** The source map of a file of TypeScript. */
  map?: OutputMap;
}

const SOURCE_MAP = /\/\/# sourceMappingURL=\S*\s*$/;

/**
 * The user's own files: TypeScript is compiled when it is loaded, and a file that
 * changes on disk is loaded again, with the files that import it.
 */
export class LocalModules {
  private readonly loaded = new Map<string, Loaded>();
  private readonly virtual = new Map<string, string>();
  /** Files that await at their top level. */
  private readonly awaited = new Set<string>();

  constructor(private readonly compilerOptions: () => ts.CompilerOptions) {}

  isLocal(path: string): boolean {
    return !path.includes(`${sep}node_modules${sep}`) && !path.startsWith(`${buildRoot}${sep}`);
  }

  /** Returns whether a path is a file that awaits at its top level, which {@link load} loads. */
  isAwaited(path: string): boolean {
    return this.awaited.has(path);
  }

  /** Lets {@link forgetChanged} check a file that was loaded elsewhere. */
  watch(path: string): void {
    this.loaded.set(path, { changed: changeTime(path) });
  }

  /** Loads a file that awaits at its top level; from then on `require` finds it. */
  async load(path: string): Promise<void> {
    const module = newModule(path) as NodeModule & { ready?: Promise<void> };
    this.run(module, path, (code) => `module.ready = (async () => { ${code}\n})();`);
    await module.ready;
    module.loaded = true;
    require.cache[path] = module;
  }

  isVirtual = (path: string): boolean => this.virtual.has(path);

  /** Adds, or replaces, the module that a cell declares with `@module`. */
  addVirtual(path: string, text: string): void {
    this.virtual.set(path, text);
    this.forget(path);
  }

  /** Returns the place in a file of a place in its JavaScript, which is the same for a file of JavaScript; `null` for code of the compiler. Both count from 1. */
  trace(path: string, line: number, column: number): Place | null {
    const map = this.loaded.get(path)?.map;
    return map ? map.find(line, column) : { line, column };
  }

  /** Forgets files that have changed since they were loaded, with those that import them. Returns whether there were any. */
  forgetChanged(): boolean {
    const changed = [...this.loaded].filter(
      ([path, { changed }]) => !this.virtual.has(path) && changeTime(path) !== changed,
    );
    for (const [path] of changed) this.forget(path);
    return changed.length > 0;
  }

  private forget(path: string): void {
    if (!this.loaded.delete(path)) return;
    const forgotten = require.cache[path];
    delete require.cache[path];
    if (!forgotten) return;
    for (const importer of [...this.loaded.keys()]) {
      if (require.cache[importer]?.children.includes(forgotten)) this.forget(importer);
    }
  }

  /** Runs a file of TypeScript as the module that Node.js has created for it. Throws a {@link ModuleToAwait} when it awaits at its top level. */
  compile(module: NodeModule, path: string): void {
    const compiler = typescript();
    const text = this.text(path);
    if (/\bawait\b/.test(text) && awaits(compiler.createSourceFile(path, text, compiler.ScriptTarget.Latest))) {
      this.awaited.add(path);
      throw new ModuleToAwait(path);
    }
    this.awaited.delete(path);
    this.run(module, path, (code) => code);
  }

  private text(path: string): string {
    return this.virtual.get(path) ?? readFileSync(path, 'utf8');
  }

  /** Runs a file's JavaScript, which `whole` may wrap without adding lines before it. */
  private run(module: NodeModule, path: string, whole: (code: string) => string): void {
    const compiler = typescript();
    const changed = this.virtual.has(path) ? 0 : changeTime(path);
    this.loaded.set(path, { changed });
    const { outputText, sourceMapText, diagnostics } = compiler.transpileModule(this.text(path), {
      fileName: path,
      reportDiagnostics: true,
      compilerOptions: {
        ...this.compilerOptions(),
        module: compiler.ModuleKind.CommonJS,
        moduleResolution: compiler.ModuleResolutionKind.Node10,
        customConditions: undefined,
        paths: undefined,
        sourceMap: true,
      },
      transformers: { before: [interruptible(compiler, { top: true }), commonJsMeta] },
    });
    const problem = diagnostics?.find(({ file }) => file);
    if (problem) throw new SyntaxError(placed(problem, path));
    this.loaded.set(path, { changed, map: new OutputMap(sourceMapText!) });
    runModule(module, whole(outputText.replace(SOURCE_MAP, '')), path);
  }
}

/** A transformer that replaces `import.meta` in a file that runs as CommonJS. */
const commonJsMeta: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const compiler = typescript();
  if (!file.text.includes('import.meta')) return file;
  const meta =
    "({ url: require('node:url').pathToFileURL(__filename).href, filename: __filename, dirname: __dirname, resolve: require.resolve })";
  const visit = (node: ts.Node): ts.Node =>
    compiler.isMetaProperty(node) && node.keywordToken === compiler.SyntaxKind.ImportKeyword
      ? compiler.factory.createIdentifier(meta)
      : compiler.visitEachChild(node, visit, context);
  return compiler.visitNode(file, visit) as ts.SourceFile;
};

/** Returns a message of the compiler about a file, with its place. */
function placed({ file, start, messageText }: ts.Diagnostic, path: string): string {
  const compiler = typescript();
  const message = compiler.flattenDiagnosticMessageText(messageText, '\n');
  if (!file || start === undefined) return `${path}: ${message}`;
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  return `${path}, line ${line + 1}, column ${character + 1}: ${message}`;
}

function changeTime(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
