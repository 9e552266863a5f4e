import type * as ts from 'typescript';
import { bindingNames } from '../declarations';
import type { CellImport } from './imports';
import { RUNTIME, SCOPE } from '../names';
import { declarationsOf, isDeclaredIn } from '../../patches/typescript';
import { typescript } from '../typescript';
import { disposing, hasUsing } from './using';

export interface ScopeOptions {
  checker: ts.TypeChecker;
  file: ts.SourceFile;
  imports: CellImport[];
  isCell(file: ts.SourceFile): boolean;
}

/**
 * A transformer, for JavaScript that TypeScript has made of a cell, by which
 * cells share their variables: `x` becomes `__cells__.x` wherever it means a
 * variable of the notebook, and each declaration is followed by
 * `__cells__.x = x`. So a function sees the newest value of a variable,
 * whichever cell assigned it. Functions and imports come first, as in any
 * module; the value of the last expression is the cell's result.
 */
export function shareScope(options: ScopeOptions): ts.TransformerFactory<ts.SourceFile> {
  return () => (output) => new ScopeTransformer(options).transform(output);
}

class ScopeTransformer {
  private readonly compiler = typescript();
  private readonly factory = this.compiler.factory;
  private readonly result: ts.Node | undefined;
  /** Names that the cell declares at its top level. */
  private readonly declared: Set<string>;
  /** Declared with `var` inside a block, there or among others, which stay variables of their cell. */
  private readonly nested: Set<string>;
  /** Declared with `var` and without a value: code before the declaration may assign one. */
  private readonly early: string[] = [];

  constructor(private readonly options: ScopeOptions) {
    const { file } = options;
    const last = file.statements.at(-1);
    if (
      last &&
      (this.compiler.isExpressionStatement(last) || this.compiler.isExportAssignment(last)) &&
      !isAssignment(last.expression)
    )
      this.result = last;
    const declared = declarationsOf(file);
    this.declared = new Set(declared.map(([name]) => name));
    this.nested = new Set(declared.filter(([, symbol]) => this.isNested(symbol)).map(([name]) => name));
  }

  transform(output: ts.SourceFile): ts.SourceFile {
    const { factory, compiler } = this;
    const { file, imports } = this.options;
    const functions: ts.Statement[] = [];
    const body: ts.Statement[] = [];
    for (const statement of output.statements) {
      if (
        compiler.isImportDeclaration(statement) ||
        compiler.isExportDeclaration(statement) ||
        compiler.isEmptyStatement(statement)
      )
        continue;
      if (compiler.isFunctionDeclaration(statement)) functions.push(...this.declaration(statement));
      else body.push(...this.declaration(statement));
    }
    const links = imports.map((it) => this.link(it));
    const using = hasUsing(file);
    const early = this.early.map((name) => this.share(name));
    return factory.updateSourceFile(output, [
      ...early,
      ...functions,
      ...links,
      ...(using ? [disposing(body, using)] : body),
    ]);
  }

  /** A statement, and what shares the names that it declares. */
  private declaration(statement: ts.Statement): ts.Statement[] {
    const { compiler } = this;
    if (compiler.isNotEmittedStatement(statement)) return [];
    if (compiler.isVariableStatement(statement) && statement.declarationList.declarations.length > 1) {
      return this.split(statement).flatMap((it) => this.declaration(it));
    }
    const declared = this.declaredNames(statement);
    const isEarly = this.hasNoValue(statement) && !declared.some((name) => this.nested.has(name));
    if (isEarly) this.early.push(...declared);
    const names = isEarly ? [] : declared.map((name) => this.share(name));
    const isExpression = compiler.isExportAssignment(statement) || compiler.isExpressionStatement(statement);
    return [
      isExpression
        ? this.expression(statement, statement.expression)
        : (this.visit(this.withoutExport(statement)) as ts.Statement),
      ...names,
    ];
  }

  /** Returns whether a statement is `var x;`, of one variable. */
  private hasNoValue(statement: ts.Statement): boolean {
    const { compiler } = this;
    return (
      compiler.isVariableStatement(statement) &&
      (statement.declarationList.flags & compiler.NodeFlags.BlockScoped) === 0 &&
      statement.declarationList.declarations.every(({ initializer }) => !initializer)
    );
  }

  /** One statement for each variable, so that the first is shared when the second asks for it. */
  private split(statement: ts.VariableStatement): ts.Statement[] {
    const { factory, compiler } = this;
    const { declarations, flags } = statement.declarationList;
    return declarations.map((declaration) => {
      const list = factory.createVariableDeclarationList([declaration], flags);
      return compiler.setOriginalNode(
        compiler.setTextRange(factory.createVariableStatement(statement.modifiers, list), statement),
        statement,
      );
    });
  }

  private expression(statement: ts.Statement, expression: ts.Expression): ts.Statement {
    const { factory, compiler } = this;
    const visited = this.visit(expression) as ts.Expression;
    const isResult = this.result !== undefined && compiler.getOriginalNode(statement) === this.result;
    // A comment after the expression ends with its line: it may not stand before a parenthesis.
    const shown = isResult
      ? factory.createAssignment(
          this.runtime('value'),
          compiler.setEmitFlags(visited, compiler.EmitFlags.NoTrailingComments),
        )
      : visited;
    return compiler.setOriginalNode(
      compiler.setTextRange(factory.createExpressionStatement(shown), statement),
      statement,
    );
  }

  private withoutExport(statement: ts.Statement): ts.Statement {
    const { compiler, factory } = this;
    const kept = (modifiers: readonly ts.ModifierLike[] | undefined) =>
      modifiers?.filter(
        ({ kind }) => kind !== compiler.SyntaxKind.ExportKeyword && kind !== compiler.SyntaxKind.DefaultKeyword,
      );
    if (compiler.isVariableStatement(statement))
      return factory.updateVariableStatement(statement, kept(statement.modifiers), statement.declarationList);
    if (compiler.isFunctionDeclaration(statement)) {
      const { modifiers, asteriskToken, name, parameters, body } = statement;
      return factory.updateFunctionDeclaration(
        statement,
        kept(modifiers),
        asteriskToken,
        name ?? factory.createIdentifier('_default'),
        undefined,
        parameters,
        undefined,
        body,
      );
    }
    if (!compiler.isClassDeclaration(statement)) return statement;
    const { modifiers, name, heritageClauses, members } = statement;
    return factory.updateClassDeclaration(
      statement,
      kept(modifiers),
      name ?? factory.createIdentifier('_default'),
      undefined,
      heritageClauses,
      members,
    );
  }

  /** Names of the notebook that a statement of the output declares. */
  private declaredNames(statement: ts.Statement): string[] {
    const { compiler } = this;
    const names: string[] = [];
    const bind = (name: ts.BindingName | undefined) => name && names.push(...bindingNames(name));
    const original = compiler.getOriginalNode(statement);
    if (compiler.isVariableStatement(statement))
      statement.declarationList.declarations.forEach(({ name }) => bind(name));
    else if (compiler.isFunctionDeclaration(statement) || compiler.isClassDeclaration(statement)) bind(statement.name);
    else if (compiler.isEnumDeclaration(original)) bind(original.name);
    else if (compiler.isModuleDeclaration(original) && compiler.isIdentifier(original.name)) bind(original.name);
    else if (this.nested.size > 0) names.push(...this.nestedNames(original));
    // What else the output declares is for TypeScript's own use.
    return names.filter((name) => this.declared.has(name));
  }

  private nestedNames(statement: ts.Node): string[] {
    const names: string[] = [];
    const visit = (node: ts.Node): void => {
      if (
        this.compiler.isVariableDeclaration(node) &&
        this.compiler.isIdentifier(node.name) &&
        this.nested.has(node.name.text)
      )
        names.push(node.name.text);
      this.compiler.forEachChild(node, visit);
    };
    visit(statement);
    return names;
  }

  private share(name: string): ts.Statement {
    const { factory } = this;
    return factory.createExpressionStatement(
      factory.createAssignment(this.property(name), factory.createIdentifier(name)),
    );
  }

  private link({ node, specifier, names }: CellImport): ts.Statement {
    const { factory, compiler } = this;
    const table = Object.entries(names ?? {}).map(([local, exported]) =>
      factory.createPropertyAssignment(factory.createStringLiteral(local), factory.createStringLiteral(exported)),
    );
    const args = [factory.createStringLiteral(specifier), factory.createObjectLiteralExpression(table)];
    const call = compiler.setTextRange(factory.createCallExpression(this.runtime('link'), undefined, args), node);
    return compiler.setTextRange(factory.createExpressionStatement(call), node);
  }

  private runtime(method: string): ts.LeftHandSideExpression {
    return this.factory.createPropertyAccessExpression(this.factory.createIdentifier(RUNTIME), method);
  }

  private property(name: string): ts.PropertyAccessExpression {
    return this.factory.createPropertyAccessExpression(this.factory.createIdentifier(SCOPE), name);
  }

  private readonly visit = (node: ts.Node): ts.Node => {
    const { compiler, factory } = this;
    if (compiler.isIdentifier(node)) return this.isShared(node) ? this.at(this.property(node.text), node) : node;
    if (compiler.isShorthandPropertyAssignment(node)) return this.shorthand(node);
    if (compiler.isCallExpression(node)) return this.call(node);
    if (compiler.isMetaProperty(node) && node.keywordToken === compiler.SyntaxKind.ImportKeyword)
      return this.at(this.runtime('meta'), node);
    if (compiler.isTaggedTemplateExpression(node) && compiler.isIdentifier(node.tag) && this.isShared(node.tag)) {
      return factory.updateTaggedTemplateExpression(
        node,
        this.bare(node.tag),
        undefined,
        this.visit(node.template) as ts.TemplateLiteral,
      );
    }
    return compiler.visitEachChild(node, this.visit, undefined);
  };

  private call(node: ts.CallExpression): ts.Node {
    const { compiler, factory } = this;
    const args = node.arguments.map((it) => this.visit(it) as ts.Expression);
    let callee = node.expression;
    if (callee.kind === compiler.SyntaxKind.ImportKeyword) callee = this.runtime('import');
    else
      callee =
        compiler.isIdentifier(callee) && this.isShared(callee)
          ? this.bare(callee)
          : (this.visit(callee) as ts.LeftHandSideExpression);
    return compiler.isCallChain(node)
      ? factory.updateCallChain(node, callee, node.questionDotToken, undefined, args)
      : factory.updateCallExpression(node, callee, undefined, args);
  }

  /** A function of the notebook as it is called: without an object as its `this`. */
  private bare(name: ts.Identifier): ts.LeftHandSideExpression {
    const { factory, compiler } = this;
    const call = this.at(
      factory.createParenthesizedExpression(
        factory.createComma(factory.createNumericLiteral(0), this.at(this.property(name.text), name)),
      ),
      name,
    );
    // V8 says that the call is where its arguments begin: they shall be at the name.
    const start = compiler.getOriginalNode(name).getStart(this.options.file);
    return compiler.setSourceMapRange(call, { pos: start, end: start });
  }

  private shorthand(node: ts.ShorthandPropertyAssignment): ts.Node {
    const { factory, compiler } = this;
    const initial = node.objectAssignmentInitializer && (this.visit(node.objectAssignmentInitializer) as ts.Expression);
    const original = compiler.getOriginalNode(node);
    const symbol = compiler.isShorthandPropertyAssignment(original)
      ? this.options.checker.getShorthandAssignmentValueSymbol(original)
      : undefined;
    if (!symbol || !this.isNotebooks(symbol, original))
      return initial ? factory.updateShorthandPropertyAssignment(node, node.name, initial) : node;
    const value = this.property(node.name.text);
    return this.at(
      factory.createPropertyAssignment(node.name, initial ? factory.createAssignment(value, initial) : value),
      node,
    );
  }

  private at<T extends ts.Node>(node: T, place: ts.Node): T {
    this.compiler.setSourceMapRange(node, this.compiler.getSourceMapRange(place));
    return this.compiler.setOriginalNode(node, place);
  }

  /** Returns whether an identifier stands for a variable of the notebook, other than where it is declared. */
  private isShared(node: ts.Identifier): boolean {
    const original = this.compiler.getOriginalNode(node);
    if (!original.parent || !this.compiler.isIdentifier(original) || original.text !== node.text) return false;
    const parent = original.parent as ts.Node & { name?: ts.Node };
    if (parent.name === original) return false;
    const symbol = this.options.checker.getSymbolAtLocation(original);
    return symbol !== undefined && this.isNotebooks(symbol, original);
  }

  /** Returns whether a symbol is declared at the top level of a cell. */
  private isNotebooks(symbol: ts.Symbol, place: ts.Node): boolean {
    const { options } = this;
    return (symbol.declarations ?? []).some((declaration) => {
      const file = declaration.getSourceFile();
      if (!options.isCell(file) || !isDeclaredIn(file, symbol)) return false;
      if (file !== options.file) return true;
      return !this.nested.has(symbol.name) && !this.isWithin(place, declaration);
    });
  }

  /** Returns whether a place is a part of what declares a name, which is shared only later. */
  private isWithin(place: ts.Node, declaration: ts.Node): boolean {
    const { compiler } = this;
    let whole = declaration;
    if (compiler.isBindingElement(declaration))
      whole = compiler.findAncestor(declaration, compiler.isVariableDeclaration)!.name;
    else if (compiler.isVariableDeclaration(declaration) || compiler.isImportSpecifier(declaration)) return false;
    return compiler.findAncestor(place, (node) => node === whole) !== undefined;
  }

  private isNested(symbol: ts.Symbol): boolean {
    const { compiler } = this;
    return (symbol.declarations ?? []).some((declaration) => {
      const variable = compiler.findAncestor(declaration, compiler.isVariableDeclaration);
      const statement = variable?.parent.parent;
      return (
        statement !== undefined && !(compiler.isVariableStatement(statement) && compiler.isSourceFile(statement.parent))
      );
    });
  }
}

/** Returns whether an expression assigns: its value is kept, and not shown. */
function isAssignment(expression: ts.Expression): boolean {
  const compiler = typescript();
  let inner = expression;
  while (compiler.isParenthesizedExpression(inner)) inner = inner.expression;
  return (
    compiler.isBinaryExpression(inner) &&
    inner.operatorToken.kind >= compiler.SyntaxKind.FirstAssignment &&
    inner.operatorToken.kind <= compiler.SyntaxKind.LastAssignment
  );
}
