import type * as ts from 'typescript';
import { FLAG } from '../../jupyter/interrupt/flag';
import { awaits } from '../compile/await';
import { GUARD, REGION } from '../compile/names';
import type { TypeScript } from '../compile/typescript';

/** A part of the code that an interrupt ends as a whole, if it began before the interrupt. */
interface Region {
  /** Whether a guard in it needs the count of interrupts at its beginning. */
  asked: boolean;
}

/**
 * Returns a transformer that adds guards, by which an interrupt ends code that
 * computes, or that continues after an `await`:
 *
 * - A function throws when it is entered while the interrupt is new.
 * - A loop throws at the start of its body, and code after an `await` when it
 *   continues, if the interrupt came after the function began. Code that begins
 *   after the interrupt runs: a `catch` or `finally`, which counts as a beginning,
 *   and functions that it calls.
 *
 * @param top whether the file itself stores the count at its beginning; for a cell, compile/emit/emit.ts does
 */
export function interruptible(compiler: TypeScript, { top }: { top: boolean }): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (file) => new Guarding(compiler, context).file(file, top);
}

class Guarding {
  private readonly factory: ts.NodeFactory;
  private region: Region = { asked: false };

  constructor(
    private readonly compiler: TypeScript,
    private readonly context: ts.TransformationContext,
  ) {
    this.factory = compiler.factory;
  }

  file(file: ts.SourceFile, top: boolean): ts.SourceFile {
    const guarded = this.compiler.visitEachChild(file, this.visit, this.context);
    return top && this.region.asked
      ? this.factory.updateSourceFile(guarded, this.after(guarded.statements, [this.beginning()]))
      : guarded;
  }

  private readonly visit = (node: ts.Node): ts.Node => {
    const { compiler } = this;
    if (compiler.isFunctionLike(node)) return this.function(node);
    if (compiler.isCatchClause(node)) return this.children(node, node.block, this.block);
    if (compiler.isTryStatement(node)) return this.children(node, node.finallyBlock, this.block);
    const visited = compiler.visitEachChild(node, this.visit, this.context);
    if (compiler.isAwaitExpression(visited)) return this.awaited(visited);
    return compiler.isIterationStatement(visited, false) ? this.loop(visited) : visited;
  };

  /** Visits the children of a node, and `child` with `visitChild`. */
  private children(node: ts.Node, child: ts.Node | undefined, visitChild: (child: any) => ts.Node): ts.Node {
    return this.compiler.visitEachChild(node, (it) => (it === child ? visitChild(it) : this.visit(it)), this.context);
  }

  private function(node: ts.SignatureDeclaration): ts.Node {
    const body = (node as ts.FunctionLikeDeclaration).body;
    // Before `super()` there is no place for statements in every target.
    const derived =
      this.compiler.isConstructorDeclaration(node) &&
      node.parent.heritageClauses?.some(({ token }) => token === this.compiler.SyntaxKind.ExtendsKeyword);
    return this.children(node, body, (it) => this.body(it, !derived));
  }

  private body(body: ts.ConciseBody, entry: boolean): ts.ConciseBody {
    const { compiler, factory } = this;
    const [visited, { asked }] = this.within(() =>
      compiler.isBlock(body)
        ? compiler.visitEachChild(body, this.visit, this.context)
        : (this.visit(body) as ts.Expression),
    );
    if (!compiler.isBlock(visited)) {
      if (!asked) return factory.createParenthesizedExpression(factory.createComma(this.entry(), visited));
      return factory.createBlock([
        this.beginning(),
        this.statement(this.entry()),
        compiler.setTextRange(factory.createReturnStatement(visited), visited),
      ]);
    }
    const guards = [...(asked ? [this.beginning()] : []), ...(entry ? [this.statement(this.entry())] : [])];
    return factory.updateBlock(visited, this.after(visited.statements, guards));
  }

  /** Visits the block of a `catch` or `finally`. */
  private readonly block = (block: ts.Block): ts.Block => {
    const [visited, { asked }] = this.within(() => this.compiler.visitEachChild(block, this.visit, this.context));
    return asked ? this.factory.updateBlock(visited, [this.beginning(), ...visited.statements]) : visited;
  };

  private within<Result>(visit: () => Result): [Result, Region] {
    const outer = this.region;
    const region = (this.region = { asked: false });
    const result = visit();
    this.region = outer;
    return [result, region];
  }

  private awaited(node: ts.AwaitExpression): ts.Expression {
    return this.compiler.setTextRange(this.call('resumed', [node, this.began()]), node);
  }

  private loop(loop: ts.IterationStatement): ts.Statement {
    const { compiler, factory } = this;
    const check = this.call('looping', [this.began()]);
    const head = this.statement(awaits(loop) ? check : factory.createLogicalAnd(this.flag(FLAG.raised), check));
    const statements = compiler.isBlock(loop.statement) ? loop.statement.statements : [loop.statement];
    const body = factory.createBlock([head, ...statements], true);
    if (compiler.isForStatement(loop))
      return factory.updateForStatement(loop, loop.initializer, loop.condition, loop.incrementor, body);
    if (compiler.isWhileStatement(loop)) return factory.updateWhileStatement(loop, loop.expression, body);
    if (compiler.isDoStatement(loop)) return factory.updateDoStatement(loop, body, loop.expression);
    if (compiler.isForOfStatement(loop))
      return factory.updateForOfStatement(loop, loop.awaitModifier, loop.initializer, loop.expression, body);
    const forIn = loop as ts.ForInStatement;
    return factory.updateForInStatement(forIn, forIn.initializer, forIn.expression, body);
  }

  /** Returns statements with guards before them, after `"use strict"`. */
  private after(statements: readonly ts.Statement[], guards: ts.Statement[]): ts.Statement[] {
    const { compiler } = this;
    const first = statements.findIndex(
      (it) => !(compiler.isExpressionStatement(it) && compiler.isStringLiteral(it.expression)),
    );
    const position = first < 0 ? statements.length : first;
    return [...statements.slice(0, position), ...guards, ...statements.slice(position)];
  }

  private entry(): ts.Expression {
    const raised = this.factory.createStrictEquality(this.flag(FLAG.raised), this.factory.createNumericLiteral(1));
    return this.factory.createLogicalAnd(raised, this.call('entered', []));
  }

  private beginning(): ts.Statement {
    const declaration = this.factory.createVariableDeclaration(REGION, undefined, undefined, this.flag(FLAG.count));
    return this.factory.createVariableStatement(
      undefined,
      this.factory.createVariableDeclarationList([declaration], this.compiler.NodeFlags.Const),
    );
  }

  private began(): ts.Expression {
    this.region.asked = true;
    return this.factory.createIdentifier(REGION);
  }

  /** Returns a read of the flag. It is not `Atomics.load`, which takes 20 ns, ten times as long as the body of many loops; V8 reads shared memory each time without it, too. */
  private flag(entry: number): ts.Expression {
    return this.factory.createElementAccessExpression(this.factory.createIdentifier(GUARD), entry);
  }

  private call(name: string, args: ts.Expression[]): ts.Expression {
    return this.factory.createCallExpression(
      this.factory.createPropertyAccessExpression(this.factory.createIdentifier(GUARD), name),
      undefined,
      args,
    );
  }

  private statement(expression: ts.Expression): ts.Statement {
    return this.factory.createExpressionStatement(expression);
  }
}
