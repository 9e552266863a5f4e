/** An imported module cannot be loaded synchronously: it has to be awaited, and then the code that imports it runs again. */
export class ModuleToAwait extends Error {
  /** @param specifier path, URL or package name of the module, which the imported module may itself import */
  constructor(readonly specifier: string) {
    super(`${specifier} is loaded asynchronously.`);
  }
}
