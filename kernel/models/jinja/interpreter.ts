/* Writes a template. */
import type { Expression, Signature, Statement, Target } from './syntax/ast';
import { checkText, nested, spend, spendText } from './budget';
import { TemplateError } from './errors';
import { evaluate, evaluateCall, filtered } from './evaluate';
import { Loop } from './loop';
import { Macro } from './macro';
import { text } from './filters/repr';
import { Scope } from './scope';
import { isTrue, iterate, Namespace, Once, typeOf, Undefined, type Value } from './values';

/** A statement that ends a body early. */
type Left = 'break' | 'continue' | undefined;

export interface Rendered {
  text: string;
  /** The `{% generation %}` blocks in the text: first character, and the one after the last. */
  generations: [number, number][];
}

export function render(template: readonly Statement[], scope: Scope): Rendered {
  const interpreter = new Interpreter();
  interpreter.run(template, scope);
  return interpreter.result();
}

class Interpreter {
  private written = '';
  private readonly generations: [number, number][] = [];
  /** Length of the template's own text so far, while a block or macro is written apart. */
  private top: number | undefined;

  result(): Rendered {
    return { text: this.written, generations: this.generations };
  }

  run(body: readonly Statement[], scope: Scope): Left {
    for (const statement of body) {
      let left: Left;
      try {
        left = this.statement(statement, scope);
      } catch (error) {
        throw error instanceof TemplateError ? error.at(statement.line) : error;
      }
      if (left) return left;
    }
    return undefined;
  }

  private write(piece: string): void {
    this.written += piece;
    spendText(piece.length);
    checkText(this.written.length);
  }

  /** Returns the text that `work` writes, instead of writing it. */
  private captured(work: () => Left): { left: Left; text: string } {
    const { written, top } = this;
    this.top ??= written.length;
    this.written = '';
    try {
      return { left: work(), text: this.written };
    } finally {
      this.written = written;
      this.top = top;
    }
  }

  private statement(statement: Statement, scope: Scope): Left {
    spend(1);
    switch (statement.kind) {
      case 'text':
        return void this.write(statement.text);
      case 'print':
        return void this.write(text(evaluate(statement.value, scope)));
      case 'if':
        return this.branch(statement, scope);
      case 'for':
        return this.loop(statement, evaluate(statement.items, scope), scope, 0);
      case 'set':
        return void this.assign(statement.target, evaluate(statement.value, scope), scope);
      case 'setBlock':
        return this.setBlock(statement, scope);
      case 'with':
        return this.with(statement, scope);
      case 'macro':
        return void scope.set(statement.name, this.macro(statement.name, statement.signature, statement.body, scope));
      case 'callBlock': {
        const caller = this.macro(null, statement.signature, statement.body, scope);
        return void this.write(text(evaluateCall(statement.call, scope, [['caller', caller]])));
      }
      case 'filterBlock': {
        const { left, text: block } = this.captured(() => this.run(statement.body, new Scope(scope)));
        if (!left) this.write(text(this.filter(statement.filter, block, scope)));
        return left;
      }
      case 'generation':
        return void this.generation(statement.body, scope);
      case 'break':
      case 'continue':
        return statement.kind;
    }
  }

  private branch(statement: Extract<Statement, { kind: 'if' }>, scope: Scope): Left {
    for (const { test, body } of statement.branches) if (isTrue(evaluate(test, scope))) return this.run(body, scope);
    return this.run(statement.otherwise, scope);
  }

  private loop(statement: Extract<Statement, { kind: 'for' }>, items: Value, scope: Scope, depth0: number): Left {
    const recurse = statement.recursive
      ? (inner: Value, depth: number): string =>
          nested(() => this.captured(() => this.loop(statement, inner, scope, depth)).text)
      : undefined;
    const loop = new Loop(statement.test ? new Once(this.selected(statement, items, scope)) : items, depth0, recurse);
    let any = false;
    for (let next = loop.next(); next; next = loop.next()) {
      any = true;
      spend(1);
      const inner = new Scope(scope);
      inner.set('loop', loop);
      this.assign(statement.target, next.item, inner);
      if (this.run(statement.body, inner) === 'break') break;
    }
    return any ? undefined : this.run(statement.otherwise, new Scope(scope));
  }

  /** Yields the items that pass the test of a loop. */
  private *selected(
    { target, test }: Extract<Statement, { kind: 'for' }>,
    items: Value,
    scope: Scope,
  ): Iterator<Value> {
    for (const item of iterate(items)) {
      spend(1);
      const inner = new Scope(scope);
      inner.set('loop', new Undefined("the 'loop' variable cannot be used in the test of the loop"));
      this.assign(target, item, inner);
      if (isTrue(evaluate(test!, inner))) yield item;
    }
  }

  private assign(target: Target, value: Value, scope: Scope): void {
    if (target.kind === 'name') scope.set(target.name, value);
    else if (target.kind === 'member') this.assignMember(target, value, scope);
    else {
      const items = [...iterate(value)];
      if (items.length < target.items.length)
        throw new TemplateError(`not enough values to unpack (expected ${target.items.length}, got ${items.length})`);
      if (items.length > target.items.length)
        throw new TemplateError(`too many values to unpack (expected ${target.items.length})`);
      target.items.forEach((one, i) => this.assign(one, items[i], scope));
    }
  }

  private assignMember(target: Extract<Target, { kind: 'member' }>, value: Value, scope: Scope): void {
    const namespace = scope.get(target.namespace);
    if (namespace === undefined) throw new TemplateError(`'${target.namespace}' is undefined`);
    if (!(namespace instanceof Namespace))
      throw new TemplateError(`cannot assign attribute on non-namespace object (${typeOf(namespace)})`);
    namespace.set(target.name, value);
  }

  private setBlock(statement: Extract<Statement, { kind: 'setBlock' }>, scope: Scope): Left {
    const { left, text: block } = this.captured(() => this.run(statement.body, new Scope(scope)));
    if (!left)
      this.assign(statement.target, statement.filter ? this.filter(statement.filter, block, scope) : block, scope);
    return left;
  }

  /** Returns a text through the filters of a block. */
  private filter(filter: Expression, block: string, scope: Scope): Value {
    if (filter.kind !== 'filter') return evaluate(filter, scope);
    return filtered(filter, filter.value ? this.filter(filter.value, block, scope) : block, scope);
  }

  private with(statement: Extract<Statement, { kind: 'with' }>, scope: Scope): Left {
    const inner = new Scope(scope);
    statement.targets.forEach((target, i) => this.assign(target, evaluate(statement.values[i], scope), inner));
    return this.run(statement.body, inner);
  }

  private macro(name: string | null, signature: Signature, body: readonly Statement[], scope: Scope): Macro {
    const { parameters, defaults } = signature;
    return new Macro(name, signature, body, (variables) =>
      nested(() => {
        const inner = new Scope(scope);
        variables.forEach(([variable, given], i) => {
          const fallback = defaults[i - (parameters.length - defaults.length)] as Expression | undefined;
          if (given !== undefined) inner.set(variable, given);
          else
            inner.set(
              variable,
              fallback && i < parameters.length
                ? evaluate(fallback, inner)
                : new Undefined(`parameter '${variable}' was not provided`),
            );
        });
        return this.captured(() => this.run(body, inner)).text;
      }),
    );
  }

  private generation(body: readonly Statement[], scope: Scope): void {
    const { text: block } = this.captured(() => this.run(body, new Scope(scope)));
    const start = this.top ?? this.written.length;
    this.generations.push([start, start + block.length]);
    this.write(block);
  }
}
