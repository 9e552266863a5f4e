import type * as ts from 'typescript';
import { awaits } from './await';
import { GUARD } from './names';
import type { TypeScript } from './typescript';

/**
 * A transformer that puts a check at the start of every loop's body, so that
 * an interrupt ends the loop. A loop without `await` reads a flag in shared
 * memory; one with `await` goes on after its cell was interrupted unless it
 * is asked each time whether its own cell still runs.
 */
export function guardLoops(compiler: TypeScript): ts.TransformerFactory<ts.SourceFile> {
  const { factory } = compiler;
  const guard = factory.createIdentifier(GUARD);
  const call = (object: ts.Expression, name: string, args: ts.Expression[]) =>
    factory.createCallExpression(factory.createPropertyAccessExpression(object, name), undefined, args);
  const check = () => call(guard, 'check', []);
  const flag = () => call(factory.createIdentifier('Atomics'), 'load', [guard, factory.createNumericLiteral(0)]);

  function guarded(loop: ts.IterationStatement): ts.Block {
    const statement = factory.createExpressionStatement(
      awaits(loop) ? check() : factory.createLogicalAnd(flag(), check()),
    );
    const body = compiler.isBlock(loop.statement) ? loop.statement.statements : [loop.statement];
    return factory.createBlock([statement, ...body], true);
  }

  return (context) => {
    const visit = (node: ts.Node): ts.Node => {
      const visited = compiler.visitEachChild(node, visit, context);
      if (compiler.isForStatement(visited)) {
        return factory.updateForStatement(visited, visited.initializer, visited.condition, visited.incrementor, guarded(visited));
      }
      if (compiler.isWhileStatement(visited)) return factory.updateWhileStatement(visited, visited.expression, guarded(visited));
      if (compiler.isDoStatement(visited)) return factory.updateDoStatement(visited, guarded(visited), visited.expression);
      if (compiler.isForOfStatement(visited)) {
        return factory.updateForOfStatement(visited, visited.awaitModifier, visited.initializer, visited.expression, guarded(visited));
      }
      if (compiler.isForInStatement(visited)) {
        return factory.updateForInStatement(visited, visited.initializer, visited.expression, guarded(visited));
      }
      return visited;
    };
    return (file) => compiler.visitNode(file, visit) as ts.SourceFile;
  };
}
