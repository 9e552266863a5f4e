import { createRequire } from 'node:module';
import { join } from 'node:path';
import { types } from 'node:util';
import vm from 'node:vm';
import { EsmFiles } from './esmFiles';
import type { LocalModules } from './localModules';
import { ModuleToAwait } from './moduleToAwait';
import { isRelative } from './specifier';

/** Codes of errors about modules that `require` cannot load: those that await at their top level, and packages for `import` only. */
const ASYNC_ONLY = new Set(['ERR_REQUIRE_ASYNC_MODULE', 'ERR_REQUIRE_ESM', 'ERR_PACKAGE_PATH_NOT_EXPORTED']);

interface Link {
  specifier: string;
  /** The module, as of `import * as`. */
  module: Record<string, unknown>;
  /** Why it could not be loaded again after its file changed. */
  error?: unknown;
}

/** Codes of errors about a file that does not exist, or no longer. */
const MISSING = new Set(['MODULE_NOT_FOUND', 'ENOENT']);

/**
 * The imports of cells. An imported name is a property of the notebook's scope
 * with a getter that reads the module, so that it follows the module's own
 * changes, and the module itself when its file changes.
 */
export class Imports {
  readonly require: NodeRequire;
  /** Node.js's own `import()`, as of code in the notebook's folder. */
  private readonly nativeImport: (specifier: string) => Promise<Record<string, unknown>>;
  private readonly awaited = new Map<string, Record<string, unknown>>();
  private readonly links = new Map<string, Link>();
  private readonly esm: EsmFiles;

  constructor(
    folder: string,
    private readonly scope: Record<string, unknown>,
    private readonly modules: LocalModules,
  ) {
    this.esm = new EsmFiles(modules);
    const filename = join(folder, 'notebook.js');
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
    delete link.error;
    this.links.set(specifier, link);
    for (const [local, exported] of Object.entries(names)) this.define(local, link, exported);
  }

  /** Imports a module and returns it: `import()` in a cell. */
  async import(specifier: unknown): Promise<Record<string, unknown>> {
    const name = String(specifier);
    for (;;) {
      try {
        return this.load(name);
      } catch (error) {
        if (!(error instanceof ModuleToAwait)) throw error;
        await this.await(error);
      }
    }
  }

  /** Loads a module that has to be awaited. */
  async await({ specifier }: ModuleToAwait): Promise<void> {
    if (this.modules.isAwaited(specifier)) await this.modules.load(specifier);
    else this.awaited.set(specifier, await this.nativeImport(specifier));
  }

  /** Loads files again that have changed, or that were missing. An error is thrown where the import is used. */
  async refresh(): Promise<void> {
    const changed = this.modules.forgetChanged();
    for (const link of this.links.values()) {
      const again = changed
        ? isRelative(link.specifier)
        : MISSING.has((link.error as NodeJS.ErrnoException | undefined)?.code ?? '');
      if (again) await this.loadAgain(link);
    }
  }

  private async loadAgain(link: Link): Promise<void> {
    try {
      link.module = await this.import(link.specifier);
      delete link.error;
    } catch (error) {
      link.error =
        (error as NodeJS.ErrnoException).code === 'ENOENT'
          ? Object.assign(new Error(`Cannot find module '${link.specifier}': its file is gone.`), { code: 'ENOENT' })
          : error;
    }
  }

  private define(local: string, link: Link, exported: string): void {
    const get = () => {
      if (link.error) throw link.error;
      return exported === '*' ? link.module : link.module[exported];
    };
    // A later cell may declare the name as its own.
    const set = (value: unknown) =>
      Object.defineProperty(this.scope, local, { value, writable: true, enumerable: true, configurable: true });
    Object.defineProperty(this.scope, local, { get, set, enumerable: true, configurable: true });
  }

  private load(specifier: string): Record<string, unknown> {
    const url = this.esm.urlOf(specifier, this.require) ?? specifier;
    const awaited = this.awaited.get(url);
    if (awaited) return awaited;
    if (/^(file|data):/.test(url)) throw new ModuleToAwait(url);
    try {
      return asModule(this.require(specifier));
    } catch (error) {
      if (ASYNC_ONLY.has((error as NodeJS.ErrnoException).code ?? '')) throw new ModuleToAwait(specifier);
      throw error;
    }
  }
}

const views = new WeakMap<object, Record<string, unknown>>();

/** Returns a module as of `import * as`: CommonJS has its exports as `default`, too. */
function asModule(exported: unknown): Record<string, unknown> {
  if (types.isModuleNamespaceObject(exported)) return exported as Record<string, unknown>;
  if ((typeof exported !== 'object' && typeof exported !== 'function') || exported === null)
    return { default: exported };
  if ((exported as { __esModule?: boolean }).__esModule) return exported as Record<string, unknown>;
  let view = views.get(exported);
  if (!view) {
    const source = exported as Record<string, unknown>;
    view = Object.create(null) as Record<string, unknown>;
    for (const key of Object.getOwnPropertyNames(source)) {
      if (typeof exported === 'function' && ['length', 'name', 'prototype', 'arguments', 'caller'].includes(key))
        continue;
      Object.defineProperty(view, key, {
        get: () => source[key],
        enumerable: Object.prototype.propertyIsEnumerable.call(source, key),
        configurable: true,
      });
    }
    Object.defineProperty(view, 'default', { value: exported, enumerable: true });
    views.set(exported, view);
  }
  return view;
}
