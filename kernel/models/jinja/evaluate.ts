/* What an expression is. */
import type { CallArguments, Expression } from './syntax/ast';
import { getAttribute, getItem } from './attributes';
import { spend, spendItems, spendText } from './budget';
import { compares } from './compare';
import { TemplateError } from './errors';
import { callFilter } from './filters/filters';
import { Loop } from './loop';
import { binary, negated } from './operators';
import { text } from './filters/repr';
import type { Scope } from './scope';
import { callTest } from './filters/tests';
import { Callable, Dict, isTrue, iterate, Slice, Tuple, typeOf, Undefined, type Arguments, type Value } from './values';

export function evaluate(expression: Expression, scope: Scope): Value {
  spend(1);
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'name': {
      const value = scope.get(expression.name);
      if (value === undefined && expression.name === 'self')
        throw new TemplateError('self, which stands for the blocks of a template, is not possible in chat templates');
      return value === undefined ? new Undefined(`'${expression.name}' is undefined`) : value;
    }
    case 'attribute':
      return getAttribute(evaluate(expression.value, scope), expression.name);
    case 'item':
      return getItem(evaluate(expression.value, scope), evaluate(expression.key, scope));
    case 'slice':
      return new Slice(
        optional(expression.start, scope),
        optional(expression.stop, scope),
        optional(expression.step, scope),
      );
    case 'call':
      return evaluateCall(expression, scope);
    case 'filter':
      return filtered(expression, evaluate(expression.value!, scope), scope);
    case 'test':
      return callTest(expression.name, evaluate(expression.value, scope), argumentsOf(expression.given, scope));
    case 'condition':
      return condition(expression, scope);
    case 'and': {
      const left = evaluate(expression.left, scope);
      return isTrue(left) ? evaluate(expression.right, scope) : left;
    }
    case 'or': {
      const left = evaluate(expression.left, scope);
      return isTrue(left) ? left : evaluate(expression.right, scope);
    }
    case 'not':
      return !isTrue(evaluate(expression.value, scope));
    case 'unary':
      return negated(evaluate(expression.value, scope), expression.operator);
    case 'binary':
      return binary(expression.operator, evaluate(expression.left, scope), evaluate(expression.right, scope));
    case 'compare':
      return compared(expression, scope);
    case 'concat':
      return concatenated(expression.items.map((item) => text(evaluate(item, scope))));
    case 'list':
      return expression.items.map((item) => evaluate(item, scope));
    case 'tuple':
      return new Tuple(expression.items.map((item) => evaluate(item, scope)));
    case 'dict':
      return Dict.from(
        expression.entries.map(([key, value]) => [evaluate(key, scope), evaluate(value, scope)] as const),
      );
  }
}

function optional(expression: Expression | undefined, scope: Scope): Value {
  return expression ? evaluate(expression, scope) : null;
}

function condition(expression: Extract<Expression, { kind: 'condition' }>, scope: Scope): Value {
  if (isTrue(evaluate(expression.test, scope))) return evaluate(expression.then, scope);
  if (expression.otherwise) return evaluate(expression.otherwise, scope);
  return new Undefined(
    `the inline if-expression on line ${expression.line} evaluated to false and no else section was defined.`,
  );
}

function compared(expression: Extract<Expression, { kind: 'compare' }>, scope: Scope): Value {
  let left = evaluate(expression.first, scope);
  for (const [operator, operand] of expression.rest) {
    const right = evaluate(operand, scope);
    if (!compares(operator, left, right)) return false;
    left = right;
  }
  return true;
}

function concatenated(parts: string[]): string {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  spendText(length);
  return parts.join('');
}

/** Returns a value through the filter of an expression. */
export function filtered(expression: Extract<Expression, { kind: 'filter' }>, value: Value, scope: Scope): Value {
  return callFilter(expression.name, value, argumentsOf(expression.given, scope));
}

export function argumentsOf(given: CallArguments, scope: Scope): Arguments {
  const args = given.args.map((argument) => evaluate(argument, scope));
  const kwargs = new Map<string, Value>();
  for (const [name, value] of given.kwargs) kwargs.set(name, evaluate(value, scope));
  if (given.rest) {
    for (const item of iterate(evaluate(given.rest, scope))) {
      args.push(item);
      spendItems(1);
    }
  }
  if (given.restNamed) addNamed(kwargs, evaluate(given.restNamed, scope));
  return { args, kwargs };
}

function addNamed(kwargs: Map<string, Value>, named: Value): void {
  if (!(named instanceof Dict)) throw new TemplateError(`argument after ** must be a mapping, not ${typeOf(named)}`);
  for (const [name, value] of named.entries()) {
    if (typeof name !== 'string') throw new TemplateError('keywords must be strings');
    if (kwargs.has(name)) throw new TemplateError(`got multiple values for keyword argument '${name}'`);
    kwargs.set(name, value);
  }
}

export function evaluateCall(
  expression: Extract<Expression, { kind: 'call' }>,
  scope: Scope,
  more: readonly (readonly [string, Value])[] = [],
): Value {
  const callee = evaluate(expression.callee, scope);
  const given = argumentsOf(expression.given, scope);
  for (const [name, value] of more) given.kwargs.set(name, value);
  if (callee instanceof Callable || callee instanceof Loop) return callee.call(given);
  if (callee instanceof Undefined) callee.fail();
  throw new TemplateError(`'${typeOf(callee)}' object is not callable`);
}
