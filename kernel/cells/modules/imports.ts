import { createRequire } from 'node:module';
import { join } from 'node:path';
import { types } from 'node:util';
import vm from 'node:vm';

/** The import of a module that cannot be loaded at once: it has to be awaited, and then the cell starts again. */
export class ModuleToAwait extends Error {
  constructor(readonly specifier: string) {
    super(`${specifier} is loaded asynchronously.`);
  }
}

/** Modules that `require` cannot load: those that await at their top level, and packages for `import` alone. */
const ASYNC_ONLY = new Set(['ERR_REQUIRE_ASYNC_MODULE', 'ERR_REQUIRE_ESM', 'ERR_PACKAGE_PATH_NOT_EXPORTED']);

interface Link {
  specifier: string;
  /** The module as `import * as` gives it. */
  module: Record<string, unknown>;
}

/**
 * What cells import. A name that is imported is a property of the notebook's
 * scope that looks into the module, so it follows the module's own changes,
 * and the module itself when its file changes.
 */
export class Imports {
  readonly require: NodeRequire;
  /** Node.js's own `import()`, as code in the notebook's folder would call it. */
  private readonly nativeImport: (specifier: string) => Promise<Record<string, unknown>>;
  private readonly awaited = new Map<string, Record<string, unknown>>();
  private readonly links = new Map<string, Link>();

  constructor(
    folder: string,
    private readonly scope: Record<string, unknown>,
  ) {
    const filename = join(folder, 'notebook.js');
    withoutWarnings(['USE_MAIN_CONTEXT_DEFAULT_LOADER', 'is loading ES Module']);
    this.require = createRequire(filename);
    this.nativeImport = vm.runInThisContext('(specifier) => import(specifier)', {
      filename,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
  }

  /** Imports a module's names into the scope: local name → exported name, or `*`. */
  link(specifier: string, names: Record<string, string>): void {
    const link = this.links.get(specifier) ?? { specifier, module: {} };
    link.module = this.load(specifier);
    this.links.set(specifier, link);
    for (const [local, exported] of Object.entries(names)) this.define(local, link, exported);
  }

  /** `import()` in a cell. */
  async import(specifier: unknown): Promise<Record<string, unknown>> {
    const name = String(specifier);
    try {
      return this.load(name);
    } catch (error) {
      if (!(error instanceof ModuleToAwait)) throw error;
      return this.await(name);
    }
  }

  /** Loads a module that has to be awaited. */
  async await(specifier: string): Promise<Record<string, unknown>> {
    const module = await this.nativeImport(specifier);
    this.awaited.set(specifier, module);
    return module;
  }

  /** Looks at the modules of all links again, after files changed. */
  refresh(): void {
    for (const link of this.links.values()) {
      if (/^\.{0,2}\//.test(link.specifier)) link.module = this.load(link.specifier);
    }
  }

  private define(local: string, link: Link, exported: string): void {
    const get = exported === '*' ? () => link.module : () => link.module[exported];
    // A later cell may declare the name as its own.
    const set = (value: unknown) => Object.defineProperty(this.scope, local, { value, writable: true, enumerable: true, configurable: true });
    Object.defineProperty(this.scope, local, { get, set, enumerable: true, configurable: true });
  }

  private load(specifier: string): Record<string, unknown> {
    const awaited = this.awaited.get(specifier);
    if (awaited) return awaited;
    if (/^(file|data):/.test(specifier)) throw new ModuleToAwait(specifier);
    try {
      return asModule(this.require(specifier));
    } catch (error) {
      if (ASYNC_ONLY.has((error as NodeJS.ErrnoException).code ?? '')) throw new ModuleToAwait(specifier);
      throw error;
    }
  }
}

/** Keeps Node.js from warning in a cell about what the kernel does. */
function withoutWarnings(texts: string[]): void {
  const emit = process.emitWarning as (warning: string | Error, ...rest: unknown[]) => void;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    const text = String(warning instanceof Error ? warning.message : warning);
    if (!texts.some((it) => text.includes(it))) emit.call(process, warning, ...rest);
  };
}

const views = new WeakMap<object, Record<string, unknown>>();

/** A module as `import * as` gives it: CommonJS has what it exports as `default`, too. */
function asModule(exported: unknown): Record<string, unknown> {
  if (types.isModuleNamespaceObject(exported)) return exported as Record<string, unknown>;
  if ((typeof exported !== 'object' && typeof exported !== 'function') || exported === null) return { default: exported };
  if ((exported as { __esModule?: boolean }).__esModule) return exported as Record<string, unknown>;
  let view = views.get(exported);
  if (!view) {
    const source = exported as Record<string, unknown>;
    view = Object.create(null) as Record<string, unknown>;
    for (const key of Object.getOwnPropertyNames(source)) {
      if (typeof exported === 'function' && ['length', 'name', 'prototype', 'arguments', 'caller'].includes(key)) continue;
      Object.defineProperty(view, key, { get: () => source[key], enumerable: Object.prototype.propertyIsEnumerable.call(source, key), configurable: true });
    }
    Object.defineProperty(view, 'default', { value: exported, enumerable: true });
    views.set(exported, view);
  }
  return view;
}
