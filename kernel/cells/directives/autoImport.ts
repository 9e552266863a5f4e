import type * as ts from 'typescript';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildRoot } from '../../common/packagePaths';
import { declaredNames, parse } from '../compile/declarations';
import { typescript } from '../compile/typescript';

/**
 * Returns an import of those of joylab's names that a cell uses and neither it nor
 * an earlier cell declares: a line, or an empty text.
 */
export function joylabImport(file: ts.SourceFile, declared: ReadonlySet<string>): string {
  const known = new Set([...file.statements.flatMap(declaredNames), ...declared]);
  const exported = joylabExports();
  const missing = [...usedNames(file)].filter((name) => exported.has(name) && !known.has(name));
  return missing.length === 0 ? '' : `import { ${missing.join(', ')} } from 'joylab';\n`;
}

/** Returns an import of all of joylab's names that neither a cell nor an earlier one declares, for completion in a cell without imports. */
export function wholeJoylabImport(file: ts.SourceFile, declared: ReadonlySet<string>): string {
  const known = new Set([...file.statements.flatMap(declaredNames), ...declared]);
  const names = [...joylabExports()].filter((name) => !known.has(name));
  return `import { ${names.join(', ')} } from 'joylab';\n`;
}

/** Returns the identifiers of a file, without names of properties. */
function usedNames(file: ts.SourceFile): Set<string> {
  const compiler = typescript();
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (compiler.isIdentifier(node) && !isPropertyName(node)) names.add(node.text);
    compiler.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

function isPropertyName(node: ts.Identifier): boolean {
  const compiler = typescript();
  const { parent } = node;
  if (compiler.isPropertyAccessExpression(parent) || compiler.isPropertyAssignment(parent)) return parent.name === node;
  return compiler.isQualifiedName(parent) && parent.right === node;
}

let exportsOfJoylab: Set<string> | null = null;

/** Returns the names that joylab exports, with those of types. */
export function joylabExports(): ReadonlySet<string> {
  exportsOfJoylab ??= readExports(join(buildRoot, 'kernel', 'index.d.ts'), new Set());
  return exportsOfJoylab;
}

/** Returns the names that a declaration file exports, following `export *`. */
function readExports(path: string, visited: Set<string>): Set<string> {
  const compiler = typescript();
  const names = new Set<string>();
  if (visited.has(path)) return names;
  visited.add(path);
  const text = readDeclarations(path);
  for (const statement of parse(text).statements) {
    if (!compiler.isExportDeclaration(statement)) {
      const flags = compiler.canHaveModifiers(statement) ? compiler.getModifiers(statement) : undefined;
      if (flags?.some(({ kind }) => kind === compiler.SyntaxKind.ExportKeyword))
        declaredNames(statement).forEach((name) => names.add(name));
    } else if (statement.exportClause) {
      if (compiler.isNamedExports(statement.exportClause))
        statement.exportClause.elements.forEach(({ name }) => names.add(name.text));
      else names.add(statement.exportClause.name.text);
    } else if (statement.moduleSpecifier && compiler.isStringLiteral(statement.moduleSpecifier)) {
      readExports(join(dirname(path), statement.moduleSpecifier.text), visited).forEach((name) => names.add(name));
    }
  }
  return names;
}

function readDeclarations(path: string): string {
  for (const candidate of [path, `${path}.d.ts`, join(path, 'index.d.ts')]) {
    try {
      return readFileSync(candidate, 'utf8');
    } catch {
      // The next candidate, then: a module is a file or a folder.
    }
  }
  return '';
}
