import type * as ts from 'typescript';
import { isTypeOnly } from '../../patches/typescript';
import { typescript } from '../typescript';

/** An import declaration of a cell, without what only types need. */
export interface CellImport {
  node: ts.ImportDeclaration;
  specifier: string;
  /** Local name → exported name; `*` stands for the module itself. `null`: the module is imported for its effects. */
  names: Record<string, string> | null;
}

/**
 * Returns what a cell imports when it runs. A name that the cell itself does not use
 * is imported too, since later cells may; a type is not.
 */
export function cellImports(file: ts.SourceFile, checker: ts.TypeChecker): CellImport[] {
  const compiler = typescript();
  return file.statements.filter(compiler.isImportDeclaration).flatMap((node): CellImport[] => {
    const specifier = (node.moduleSpecifier as ts.StringLiteral).text;
    const clause = node.importClause;
    if (!clause) return [{ node, specifier, names: null }];
    const values = importedNames(clause).filter(([name]) => {
      const symbol = checker.getSymbolAtLocation(name);
      return symbol !== undefined && isValueImport(checker, symbol);
    });
    if (values.length === 0) return [];
    return [{ node, specifier, names: Object.fromEntries(values.map(([name, exported]) => [name.text, exported])) }];
  });
}

/** Each local name of an import clause, with the exported name. */
function importedNames({ name, namedBindings }: ts.ImportClause): Array<[ts.Identifier, string]> {
  const names: Array<[ts.Identifier, string]> = name ? [[name, 'default']] : [];
  if (!namedBindings) return names;
  if (typescript().isNamespaceImport(namedBindings)) return [...names, [namedBindings.name, '*']];
  return [
    ...names,
    ...namedBindings.elements.map((it): [ts.Identifier, string] => [it.name, (it.propertyName ?? it.name).text]),
  ];
}

/** Returns whether a symbol is an import of something that exists when the cell runs. */
export function isValueImport(checker: ts.TypeChecker, symbol: ts.Symbol): boolean {
  const compiler = typescript();
  if (!(symbol.flags & compiler.SymbolFlags.Alias)) return false;
  const [declaration] = symbol.declarations ?? [];
  if (!declaration || compiler.isTypeOnlyImportOrExportDeclaration(declaration)) return false;
  const target = checker.getAliasedSymbol(symbol);
  // A module without types: anything may be in it.
  if (checker.isUnknownSymbol(target)) return true;
  return (target.flags & compiler.SymbolFlags.Value) !== 0 && !isTypeOnly(checker, symbol);
}
