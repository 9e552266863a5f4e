import type * as ts from 'typescript';
import { isAwaitUsing, isUsing } from '../await';
import { RUNTIME } from '../names';
import { typescript } from '../typescript';

/** Returns whether a cell declares with `using` at its top level: what it declares is disposed of at the cell's end. */
export function hasUsing(file: ts.SourceFile): 'sync' | 'async' | null {
  const lists = file.statements.filter(typescript().isVariableStatement).map(({ declarationList }) => declarationList);
  if (lists.some(isAwaitUsing)) return 'async';
  return lists.some(isUsing) ? 'sync' : null;
}

/**
 * A transformer that turns `using x = value` at the top level into
 * `const x = __joylab__.use(value)`. TypeScript's own way puts the whole module into a block,
 * whose declarations other cells could not see.
 */
export const keepUsed: ts.TransformerFactory<ts.SourceFile> = () => (file) => {
  const compiler = typescript();
  const { factory } = compiler;
  if (!hasUsing(file)) return file;

  function kept(declaration: ts.VariableDeclaration, isAsync: boolean): ts.VariableDeclaration {
    const method = factory.createPropertyAccessExpression(factory.createIdentifier(RUNTIME), 'use');
    const call = factory.createCallExpression(method, undefined, [
      declaration.initializer!,
      isAsync ? factory.createTrue() : factory.createFalse(),
    ]);
    return factory.updateVariableDeclaration(
      declaration,
      declaration.name,
      undefined,
      undefined,
      compiler.setTextRange(call, declaration.initializer),
    );
  }

  const statements = file.statements.map((statement) => {
    if (!compiler.isVariableStatement(statement) || !isUsing(statement.declarationList)) return statement;
    const list = statement.declarationList;
    const declarations = list.declarations.map((it) => kept(it, isAwaitUsing(list)));
    return factory.updateVariableStatement(
      statement,
      statement.modifiers,
      factory.createVariableDeclarationList(declarations, compiler.NodeFlags.Const),
    );
  });
  return factory.updateSourceFile(file, statements);
};

/** The statements of a cell, after which what it keeps with `using` is disposed of. */
export function disposing(body: ts.Statement[], kind: 'sync' | 'async'): ts.Statement {
  const { factory } = typescript();
  const call = (name: string, args: ts.Expression[]) =>
    factory.createCallExpression(
      factory.createPropertyAccessExpression(factory.createIdentifier(RUNTIME), name),
      undefined,
      args,
    );
  const error = factory.createIdentifier('__error__');
  const failed = factory.createThrowStatement(call('failed', [error]));
  const dispose = kind === 'async' ? factory.createAwaitExpression(call('disposeAsync', [])) : call('dispose', []);
  return factory.createTryStatement(
    factory.createBlock(body, true),
    factory.createCatchClause(factory.createVariableDeclaration(error), factory.createBlock([failed], true)),
    factory.createBlock([factory.createExpressionStatement(dispose)], true),
  );
}
