import type * as TypeScript from 'typescript';
import { typescript } from '../compile';
import { edited, type Edit } from '../edits';
import { counterSource } from './counter';

/**
 * Returns a strategy whose `strategy` returns `{ answer, operations }`: its answer, and
 * the operations since the answer before, for the first one since the program began.
 *
 * @param code a source that can be parsed
 * @param name a name that does not occur in it
 * @param limit operations after which it throws
 *
 * #### Notes
 * Lines stay where they are. What is done unconditionally together is counted by one
 * call, before it is done.
 */
export function countedProgram(code: string, name: string, limit: number): string {
  const ts = typescript();
  const file = ts.createSourceFile('strategy.ts', code, ts.ScriptTarget.ES2022, true);
  return `const ${name} = ${counterSource(limit)}; var strategy = (() => { ${edited(code, new Marks(ts, file, name).edits)}
; return ${name}.counted(strategy); })();`;
}

/** The insertions that count a program's operations. */
class Marks {
  readonly edits: Edit[] = [];

  constructor(
    private readonly ts: typeof TypeScript,
    private readonly file: TypeScript.SourceFile,
    private readonly name: string,
  ) {
    this.statements(file.statements);
  }

  private statements(statements: readonly TypeScript.Statement[]): void {
    for (const statement of statements) this.statement(statement, true);
  }

  /** @param inList whether other statements may stand before it */
  private statement(node: TypeScript.Statement, inList: boolean): void {
    const { ts } = this;
    if (ts.isBlock(node) || ts.isModuleBlock(node)) return this.statements(node.statements);
    if (ts.isExpressionStatement(node)) return this.expressionStatement(node, inList);
    if (ts.isVariableStatement(node)) return this.declarations(node.declarationList);
    if (ts.isReturnStatement(node) || ts.isThrowStatement(node)) return this.expression(node.expression);
    if (ts.isIfStatement(node)) {
      this.expression(node.expression, 1);
      this.statement(node.thenStatement, false);
      if (node.elseStatement) this.statement(node.elseStatement, false);
    } else if (ts.isIterationStatement(node, false)) this.loop(node);
    else if (ts.isSwitchStatement(node)) {
      this.expression(node.expression, 1);
      for (const clause of node.caseBlock.clauses) {
        if (ts.isCaseClause(clause)) this.expression(clause.expression, 1);
        this.statements(clause.statements);
      }
    } else if (ts.isTryStatement(node))
      for (const block of [node.tryBlock, node.catchClause?.block, node.finallyBlock])
        this.statements(block?.statements ?? []);
    else if (ts.isLabeledStatement(node)) this.statement(node.statement, false);
    else if (ts.isFunctionDeclaration(node)) this.function(node);
    else this.children(node);
  }

  private expressionStatement(node: TypeScript.ExpressionStatement, inList: boolean): void {
    const count = this.insert(node.getStart(this.file));
    const operations = this.operations(node.expression);
    if (operations === 0) return;
    count.text = `${inList ? '' : '{ '}${this.add(operations)}; `;
    if (!inList) this.insert(node.getEnd(), ' }');
  }

  private declarations(list: TypeScript.VariableDeclarationList): void {
    for (const { name, initializer } of list.declarations) {
      const isFunction =
        initializer && (this.ts.isArrowFunction(initializer) || this.ts.isFunctionExpression(initializer));
      // A comma before a function would take its name.
      if (isFunction) this.operations(initializer);
      else this.expression(initializer, 1 + this.operations(name));
    }
  }

  private loop(node: TypeScript.IterationStatement): void {
    const { ts } = this;
    let isCounted = false;
    if (ts.isForStatement(node)) {
      if (node.initializer && ts.isVariableDeclarationList(node.initializer)) this.declarations(node.initializer);
      else this.expression(node.initializer);
      this.expression(node.condition, 1);
      this.expression(node.incrementor);
      isCounted = node.condition !== undefined;
    } else if (ts.isForOfStatement(node) || ts.isForInStatement(node)) this.expression(node.expression);
    else if (ts.isWhileStatement(node) || ts.isDoStatement(node)) {
      this.expression(node.expression, 1);
      isCounted = true;
    }
    this.body(node.statement, isCounted ? 0 : 1);
  }

  /** Counts the operations of a statement, and `turn` each time that it begins. */
  private body(node: TypeScript.Statement, turn: number): void {
    if (turn === 0) return this.statement(node, false);
    if (this.ts.isBlock(node)) {
      this.insert(node.getStart(this.file) + 1, ` ${this.add(turn)};`);
      return this.statement(node, false);
    }
    this.insert(node.getStart(this.file), `{ ${this.add(turn)}; `);
    this.statement(node, false);
    this.insert(node.getEnd(), ' }');
  }

  /** Counts an expression's own operations and `more` whenever it is evaluated. */
  private expression(node: TypeScript.Expression | undefined, more = 0): void {
    if (!node) return;
    const count = this.insert(node.getStart(this.file));
    const operations = this.operations(node) + more;
    if (operations === 0) return;
    count.text = `(${this.add(operations)}, `;
    this.insert(node.getEnd(), ')');
  }

  /** Returns the operations that a node always does; counts those that it may do where they stand. */
  private operations(node: TypeScript.Node): number {
    const { ts } = this;
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return 0;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isTypeParameterDeclaration(node))
      return 0;
    if (ts.isFunctionLike(node)) return this.function(node);
    if (ts.isPropertyDeclaration(node)) return (this.expression(node.initializer), 0);
    if (ts.isStatement(node) && !isDeclaration(ts, node)) return (this.statement(node, false), 0);
    if (ts.isConditionalExpression(node)) {
      this.expression(node.whenTrue);
      this.expression(node.whenFalse);
      return 1 + this.operations(node.condition);
    }
    if (ts.isBinaryExpression(node)) return this.binary(node);
    if (ts.isBindingElement(node)) return (this.expression(node.initializer), 1 + this.operations(node.name));
    if (ts.isSpreadElement(node) || ts.isSpreadAssignment(node)) return this.measured('spread', node.expression);
    if (isNegativeNumber(ts, node)) return 0;
    if (makesByLength(ts, node)) return this.measured('made', node);
    return weight(ts, node) + this.children(node);
  }

  private binary(node: TypeScript.BinaryExpression): number {
    const { ts } = this;
    const { left, operatorToken, right } = node;
    const operator = operatorToken.kind;
    if (mayStop(ts, operator)) {
      this.expression(right);
      return 1 + this.operations(left);
    }
    const isPattern =
      operator === ts.SyntaxKind.EqualsToken &&
      (ts.isArrayLiteralExpression(left) || ts.isObjectLiteralExpression(left));
    return 1 + (isPattern ? partsOf(ts, left) : this.operations(left)) + this.operations(right);
  }

  /** Counts the length of a value as well. */
  private measured(how: 'spread' | 'made', node: TypeScript.Expression): number {
    this.insert(node.getStart(this.file), `${this.name}.${how}(`);
    const operations = weight(this.ts, node) + this.children(node);
    this.insert(node.getEnd(), ')');
    return 1 + operations;
  }

  private function(node: TypeScript.SignatureDeclaration): number {
    const { ts } = this;
    for (const { initializer, name } of node.parameters) {
      this.operations(name);
      this.expression(initializer);
    }
    const body = (node as TypeScript.FunctionLikeDeclaration).body;
    if (body && ts.isBlock(body)) this.statements(body.statements);
    else if (body) this.expression(body as TypeScript.Expression);
    return 0;
  }

  private children(node: TypeScript.Node): number {
    let sum = 0;
    this.ts.forEachChild(node, (child) => {
      sum += this.operations(child);
    });
    return sum;
  }

  private add(operations: number): string {
    return `${this.name}.add(${operations})`;
  }

  private insert(at: number, text = ''): Edit {
    const edit = { at, text };
    this.edits.push(edit);
    return edit;
  }
}

/** Returns the operations of a node alone. */
function weight(ts: typeof TypeScript, node: TypeScript.Node): number {
  if (ts.isArrayLiteralExpression(node)) return 1 + node.elements.length;
  if (ts.isObjectLiteralExpression(node)) return 1 + node.properties.length;
  if (ts.isTemplateExpression(node)) return 1 + node.templateSpans.length;
  const one =
    ts.isPropertyAccessExpression(node) ||
    ts.isElementAccessExpression(node) ||
    ts.isCallExpression(node) ||
    ts.isNewExpression(node) ||
    ts.isPrefixUnaryExpression(node) ||
    ts.isPostfixUnaryExpression(node) ||
    ts.isTypeOfExpression(node) ||
    ts.isDeleteExpression(node) ||
    ts.isTaggedTemplateExpression(node) ||
    ts.isYieldExpression(node) ||
    ts.isRegularExpressionLiteral(node);
  return Number(one);
}

/** Returns whether a node is a number with its sign: a constant, like others. */
function isNegativeNumber(ts: typeof TypeScript, node: TypeScript.Node): boolean {
  return (
    ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken && ts.isNumericLiteral(node.operand)
  );
}

/** Returns whether an operator may leave out its right side. */
function mayStop(ts: typeof TypeScript, operator: TypeScript.SyntaxKind): boolean {
  const { SyntaxKind } = ts;
  return [
    SyntaxKind.AmpersandAmpersandToken,
    SyntaxKind.BarBarToken,
    SyntaxKind.QuestionQuestionToken,
    SyntaxKind.AmpersandAmpersandEqualsToken,
    SyntaxKind.BarBarEqualsToken,
    SyntaxKind.QuestionQuestionEqualsToken,
  ].includes(operator);
}

/** Returns whether an expression makes a value whose length is in its arguments: `new Float64Array(n)`, `Array(n)`. */
function makesByLength(ts: typeof TypeScript, node: TypeScript.Node): node is TypeScript.Expression {
  return ts.isNewExpression(node) || (ts.isCallExpression(node) && node.expression.getText() === 'Array');
}

/** Declarations that TypeScript counts among statements, and that hold others: classes, namespaces, enumerations. */
function isDeclaration(ts: typeof TypeScript, node: TypeScript.Node): boolean {
  return (
    ts.isClassDeclaration(node) ||
    ts.isModuleDeclaration(node) ||
    ts.isEnumDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node)
  );
}

/** Returns the number of values that a pattern takes apart. */
function partsOf(ts: typeof TypeScript, pattern: TypeScript.Node): number {
  let parts = 0;
  ts.forEachChild(pattern, (child) => {
    parts += 1 + partsOf(ts, child);
  });
  return parts;
}
