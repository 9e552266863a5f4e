import type * as ts from '@tslab/typescript-for-tslab';
import { parse } from './declarations';
import { typescript } from './typescript';

/** Whether a cell awaits outside functions. tslab overlooks some forms, `for await` for one. */
export function awaitsAtTopLevel(code: string): boolean {
  return code.includes('await') && awaits(parse(code));
}

/** Whether a node awaits something, functions inside it aside. */
export function awaits(node: ts.Node): boolean {
  const compiler = typescript();
  if (compiler.isAwaitExpression(node)) return true;
  if (compiler.isForOfStatement(node) && node.awaitModifier) return true;
  return !!compiler.forEachChild(node, (child) => !compiler.isFunctionLike(child) && awaits(child));
}
