import { readFileSync, statSync } from 'node:fs';
import Module from 'node:module';
import { sep } from 'node:path';
import type * as ts from 'typescript';
import { interruptible } from '../compile/guards';
import { OutputMap, type Place } from '../compile/outputMap';
import { typescript } from '../compile/typescript';

type Extension = (module: LocalModule, path: string) => void;
type LocalModule = NodeModule & { _compile(code: string, path: string): void };

interface Loaded {
  /** Time of the last change when it was loaded. */
  changed: number;
  /** For TypeScript. */
  map?: OutputMap;
}

const SOURCE_MAP = /\/\/# sourceMappingURL=\S*\s*$/;

/**
 * The user's own files: TypeScript is compiled as it is loaded, and what
 * changes on disk is loaded again, together with the files that import it.
 */
export class LocalModules {
  private readonly loaded = new Map<string, Loaded>();
  private readonly virtual = new Map<string, string>();

  /** @param packageRoot folder of the joylab package, whose built files are not the user's */
  constructor(
    private readonly packageRoot: string,
    private readonly compilerOptions: () => ts.CompilerOptions,
  ) {
    const extensions = (Module as unknown as { _extensions: Record<string, Extension> })._extensions;
    for (const ending of ['.js', '.cjs', '.json']) {
      const original = extensions[ending] ?? extensions['.js'];
      extensions[ending] = (module, path) => {
        if (this.isLocal(path)) this.loaded.set(path, { changed: changeTime(path) });
        original(module, path);
      };
    }
    for (const ending of ['.ts', '.tsx', '.cts', '.mts']) extensions[ending] = (module, path) => this.compile(module, path);
  }

  isLocal(path: string): boolean {
    return !path.includes(`${sep}node_modules${sep}`) && !path.startsWith(`${this.packageRoot}${sep}dist${sep}`);
  }

  isVirtual = (path: string): boolean => this.virtual.has(path);

  /** Makes the module that a cell with `@module` declares. */
  addVirtual(path: string, text: string): void {
    this.virtual.set(path, text);
    this.forget(path);
  }

  /** Where a place in the JavaScript of a file is in the file; the place itself where the file is JavaScript. */
  trace(path: string, line: number, column: number): Place | null {
    const map = this.loaded.get(path)?.map;
    return map ? map.find(line, column) : { line, column };
  }

  /** Forgets files that changed since they were loaded, with those that import them. Returns whether there were any. */
  forgetChanged(): boolean {
    const changed = [...this.loaded].filter(([path, { changed }]) => !this.virtual.has(path) && changeTime(path) !== changed);
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

  private compile(module: LocalModule, path: string): void {
    const compiler = typescript();
    const text = this.virtual.get(path) ?? readFileSync(path, 'utf8');
    const { outputText, sourceMapText } = compiler.transpileModule(text, {
      fileName: path,
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
    this.loaded.set(path, { changed: this.virtual.has(path) ? 0 : changeTime(path), map: new OutputMap(sourceMapText!) });
    module._compile(outputText.replace(SOURCE_MAP, ''), path);
  }
}

/** `import.meta` of a file that is run as CommonJS. */
const commonJsMeta: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const compiler = typescript();
  if (!file.text.includes('import.meta')) return file;
  const meta = "({ url: require('node:url').pathToFileURL(__filename).href, filename: __filename, dirname: __dirname, resolve: require.resolve })";
  const visit = (node: ts.Node): ts.Node =>
    compiler.isMetaProperty(node) && node.keywordToken === compiler.SyntaxKind.ImportKeyword
      ? compiler.factory.createIdentifier(meta)
      : compiler.visitEachChild(node, visit, context);
  return compiler.visitNode(file, visit) as ts.SourceFile;
};

function changeTime(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
