import type * as ts from 'typescript';
import { typescript } from './typescript';

/** Names that a statement declares at its own level; destructuring included. */
export function declaredNames(statement: ts.Statement): string[] {
  const compiler = typescript();
  if (compiler.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap((declaration) => bindingNames(declaration.name));
  }
  if (compiler.isImportDeclaration(statement)) return importNames(statement);
  const name = (statement as ts.Statement & { name?: ts.Node }).name;
  return name && compiler.isIdentifier(name) ? [name.text] : [];
}

/** The statements of a text, with parents set. */
export function parse(text: string): ts.SourceFile {
  const compiler = typescript();
  return compiler.createSourceFile('cell.ts', text, compiler.ScriptTarget.Latest, true);
}

export function bindingNames(name: ts.BindingName): string[] {
  const compiler = typescript();
  if (compiler.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (compiler.isBindingElement(element) ? bindingNames(element.name) : []));
}

function importNames({ importClause }: ts.ImportDeclaration): string[] {
  const compiler = typescript();
  if (!importClause) return [];
  const names = importClause.name ? [importClause.name.text] : [];
  const bindings = importClause.namedBindings;
  if (!bindings) return names;
  if (compiler.isNamespaceImport(bindings)) return [...names, bindings.name.text];
  return [...names, ...bindings.elements.map((element) => element.name.text)];
}
