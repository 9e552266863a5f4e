/** The import of a module that cannot be loaded at once: it has to be awaited, and then what imports it starts again. */
export class ModuleToAwait extends Error {
  /** @param specifier of the module itself, which may be one that the imported module imports: a path or URL, or the name of a package */
  constructor(readonly specifier: string) {
    super(`${specifier} is loaded asynchronously.`);
  }
}
