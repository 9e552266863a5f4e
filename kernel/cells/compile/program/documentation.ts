import type * as ts from 'typescript';
import { copyDocumentation, isUndocumented } from '../../patches/typescript';
import { typescript } from '../typescript';

type Registry = Record<
  'acquireDocumentWithKey' | 'updateDocumentWithKey' | 'releaseDocumentWithKey',
  (...args: any[]) => any
>;

/**
 * The documentation in declarations, which is a third of the work of reading
 * them: it is read when somebody asks for it.
 */
export class DocumentationOnDemand {
  /** Makes the source files of a language service. */
  readonly registry: ts.DocumentRegistry;
  private isLoaded = false;
  /** Paths of files that were read without their documentation. */
  private readonly bare = new Set<string>();

  /**
   * @param canWait whether the documentation of a file is asked for by {@link load} alone
   * @param onRead takes each file, before it is a part of a program
   */
  constructor(folder: string, canWait: (path: string) => boolean, onRead: (file: ts.SourceFile) => void) {
    const compiler = typescript();
    const { ParseAll, ParseNone } = compiler.JSDocParsingMode;
    const of = (mode: ts.JSDocParsingMode) =>
      compiler.createDocumentRegistry(compiler.sys.useCaseSensitiveFileNames, folder, mode) as ts.DocumentRegistry &
        Registry;
    const whole = of(ParseAll);
    const bare = of(ParseNone);
    const read =
      (method: 'acquireDocumentWithKey' | 'updateDocumentWithKey'): ts.DocumentRegistry['acquireDocumentWithKey'] =>
      (name, path, host, key, snapshot, version, kind, options) => {
        if (!this.isLoaded && canWait(name)) this.bare.add(path);
        const isBare = this.bare.has(path);
        const jsDocParsingMode = isBare ? ParseNone : ParseAll;
        const file = (isBare ? bare : whole)[method](name, path, host, key, snapshot, version, kind, {
          ...(options as ts.CreateSourceFileOptions),
          jsDocParsingMode,
        });
        onRead(file);
        return file;
      };
    const release = (path: ts.Path, ...rest: unknown[]) =>
      (this.bare.has(path) ? bare : whole).releaseDocumentWithKey(path, ...rest);
    this.registry = {
      ...whole,
      acquireDocumentWithKey: read('acquireDocumentWithKey'),
      updateDocumentWithKey: read('updateDocumentWithKey'),
      releaseDocumentWithKey: release,
    };
  }

  /** The mode in which a file is parsed that the registry does not make. */
  get parsingMode(): ts.JSDocParsingMode {
    const { ParseAll, ParseNone } = typescript().JSDocParsingMode;
    return this.isLoaded ? ParseAll : ParseNone;
  }

  /** Reads the documentation of files; from now on, files are read with theirs. */
  load(files: Iterable<ts.SourceFile>): void {
    if (this.isLoaded) return;
    this.isLoaded = true;
    const compiler = typescript();
    for (const file of files) {
      const { fileName, text, languageVersion } = file;
      if (isUndocumented(file))
        copyDocumentation(compiler.createSourceFile(fileName, text, languageVersion, true), file);
    }
  }
}
