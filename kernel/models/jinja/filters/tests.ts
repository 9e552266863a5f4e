/* `value is something`. */
import { bind } from '../arguments';
import { compares, contains, equals } from '../compare';
import { TemplateError } from '../errors';
import { Loop } from '../loop';
import { FILTERS, TESTS } from '../names';
import { numberOf } from '../numbers';
import { binary } from '../operators';
import { text } from './repr';
import { PREDICATES } from './unicode';
import {
  Callable,
  Dict,
  itemsOf,
  lengthOf,
  Markup,
  Once,
  Range,
  Tuple,
  Undefined,
  type Arguments,
  type Value,
} from '../values';

type Test = (value: Value, other: Value) => boolean;

const comparison =
  (operator: string): Test =>
  (value, other) =>
    compares(operator, value, other);

const ALONE: Record<string, (value: Value) => boolean> = {
  boolean: (value) => typeof value === 'boolean',
  callable: (value) => value instanceof Callable || value instanceof Loop || value instanceof Undefined,
  defined: (value) => !(value instanceof Undefined),
  escaped: (value) => value instanceof Markup,
  even: (value) => equals(binary('%', value, 2n), 0n),
  false: (value) => value === false,
  filter: (value) => FILTERS.has(value as string),
  float: (value) => typeof value === 'number',
  integer: (value) => typeof value === 'bigint',
  iterable: (value) => value instanceof Loop || itemsOf(value) !== undefined,
  lower: (value) => PREDICATES.islower(text(value)),
  mapping: (value) => value instanceof Dict,
  none: (value) => value === null,
  number: (value) => numberOf(value) !== undefined,
  odd: (value) => equals(binary('%', value, 2n), 1n),
  sequence: isSequence,
  string: (value) => typeof value === 'string' || value instanceof Markup,
  test: (value) => TESTS.has(value as string),
  true: (value) => value === true,
  undefined: (value) => value instanceof Undefined,
  upper: (value) => PREDICATES.isupper(text(value)),
};

const WITH_OTHER: Record<string, Test> = {
  divisibleby: (value, other) => equals(binary('%', value, other), 0n),
  in: (value, other) => contains(other, value),
  sameas: isSame,
  ...Object.fromEntries(['==', 'eq', 'equalto'].map((name) => [name, comparison('==')])),
  ...Object.fromEntries(['!=', 'ne'].map((name) => [name, comparison('!=')])),
  ...Object.fromEntries(['<', 'lt', 'lessthan'].map((name) => [name, comparison('<')])),
  ...Object.fromEntries(['<=', 'le'].map((name) => [name, comparison('<=')])),
  ...Object.fromEntries(['>', 'gt', 'greaterthan'].map((name) => [name, comparison('>')])),
  ...Object.fromEntries(['>=', 'ge'].map((name) => [name, comparison('>=')])),
};

export function callTest(name: string, value: Value, { args, kwargs }: Arguments): boolean {
  if (Object.hasOwn(ALONE, name)) {
    bind(name, 'value /', { args: [value, ...args], kwargs });
    return ALONE[name](value);
  }
  if (!Object.hasOwn(WITH_OTHER, name)) throw new TemplateError(`No test named '${name}'.`);
  const parameters = { divisibleby: 'value num', sameas: 'value other', in: 'value seq' }[name] ?? 'a b /';
  const [, other] = bind(name, parameters, { args: [value, ...args], kwargs });
  return WITH_OTHER[name](value, other!);
}

function isSequence(value: Value): boolean {
  if (
    value instanceof Undefined ||
    value instanceof Tuple ||
    value instanceof Range ||
    value instanceof Markup ||
    value instanceof Dict
  )
    return true;
  return (
    !(value instanceof Once) && (typeof value === 'string' || Array.isArray(value)) && lengthOf(value) !== undefined
  );
}

/**
 * Returns whether two values are the same object. Throws for equal texts and large
 * numbers, for which Python leaves that open.
 */
function isSame(value: Value, other: Value): boolean {
  if (typeof value !== typeof other || typeof value === 'object' || typeof value === 'boolean') return value === other;
  if (value !== other) return false;
  if (typeof value === 'bigint' && value >= -5n && value <= 256n) return true;
  throw new TemplateError('sameas cannot tell whether equal texts or numbers are one object; use == instead');
}
