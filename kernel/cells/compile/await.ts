import type * as ts from 'typescript';
import { typescript } from './typescript';

/** Returns whether a node awaits something, functions inside it aside. */
export function awaits(node: ts.Node): boolean {
  const compiler = typescript();
  if (compiler.isAwaitExpression(node)) return true;
  if (compiler.isForOfStatement(node) && node.awaitModifier) return true;
  if (compiler.isVariableDeclarationList(node) && isAwaitUsing(node)) return true;
  return !!compiler.forEachChild(
    node,
    (child) => !compiler.isFunctionLike(child) && !compiler.isPropertyDeclaration(child) && awaits(child),
  );
}

export function isAwaitUsing({ flags }: ts.VariableDeclarationList): boolean {
  const { NodeFlags } = typescript();
  return (flags & NodeFlags.BlockScoped) === NodeFlags.AwaitUsing;
}

/** `using` or `await using`. */
export function isUsing({ flags }: ts.VariableDeclarationList): boolean {
  const { NodeFlags } = typescript();
  return (flags & NodeFlags.Using) !== 0;
}
