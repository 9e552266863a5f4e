import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Imports } from './modules/imports';

interface Resource {
  value: unknown;
  dispose: (() => unknown) | undefined;
}

/** `import.meta` in a cell. */
export interface CellMeta {
  url: string;
  dirname: string;
  filename: string;
  resolve(specifier: string): string;
}

/** The functions that the JavaScript of a cell calls while it runs: an object for each run. See compile/emit/scope.ts. */
export class CellRuntime {
  /** The value of the cell's last expression, which the cell assigns. */
  value: unknown = undefined;
  private readonly resources: Resource[] = [];
  private error: { value: unknown } | null = null;

  constructor(
    private readonly imports: Imports,
    readonly meta: CellMeta,
  ) {}

  readonly import = (specifier: unknown) => this.imports.import(specifier);
  readonly link = (specifier: string, names: Record<string, string>) => this.imports.link(specifier, names);

  /** Keeps a value of `using` or `await using`, to be disposed of at the end of the cell, and returns it. Throws a TypeError when it has no method for that. */
  use<T>(value: T, isAsync: boolean): T {
    if (value === null || value === undefined) return value;
    const object = value as { [Symbol.dispose]?: () => void; [Symbol.asyncDispose]?: () => PromiseLike<void> };
    const dispose = (isAsync ? object[Symbol.asyncDispose] : undefined) ?? object[Symbol.dispose];
    if (typeof dispose !== 'function') {
      const method = isAsync ? 'Symbol.asyncDispose or Symbol.dispose' : 'Symbol.dispose';
      throw new TypeError(`${isAsync ? 'await using' : 'using'} needs an object with the method ${method}.`);
    }
    this.resources.push({ value, dispose });
    return value;
  }

  /** Notes the error that ended the cell; returns it, to be thrown again. */
  failed(error: unknown): unknown {
    this.error = { value: error };
    return error;
  }

  dispose(): void {
    for (let next = this.resources.pop(); next; next = this.resources.pop()) {
      try {
        next.dispose?.call(next.value);
      } catch (error) {
        this.suppress(error);
      }
    }
    if (this.error) throw this.error.value;
  }

  async disposeAsync(): Promise<void> {
    for (let next = this.resources.pop(); next; next = this.resources.pop()) {
      try {
        await next.dispose?.call(next.value);
      } catch (error) {
        this.suppress(error);
      }
    }
    if (this.error) throw this.error.value;
  }

  /** Makes an error of `dispose` the cell's error, with the one before it as `suppressed`, as in ECMAScript. */
  private suppress(error: unknown): void {
    if (!this.error) {
      this.error = { value: error };
      return;
    }
    const suppressed = new Error('An error was suppressed during disposal.', { cause: error });
    this.error = { value: Object.assign(suppressed, { name: 'SuppressedError', error, suppressed: this.error.value }) };
  }
}

/** Returns `import.meta` for the cells of a notebook in `folder`. */
export function cellMeta(folder: string, require: NodeRequire): CellMeta {
  // Jupyter Server sets the variable to the notebook's path.
  const session = process.env.JPY_SESSION_NAME ?? '';
  const filename = isAbsolute(session) && existsSync(session) ? session : join(folder, 'notebook.ipynb');
  return {
    url: pathToFileURL(filename).href,
    dirname: folder,
    filename,
    resolve: (specifier) => {
      const found = require.resolve(specifier);
      return isAbsolute(found) ? pathToFileURL(found).href : `node:${found.replace(/^node:/, '')}`;
    },
  };
}
