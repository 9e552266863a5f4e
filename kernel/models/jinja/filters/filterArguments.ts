import { bind } from '../arguments';
import { getItem } from '../attributes';
import { Undefined, type Arguments, type Value } from '../values';

export type Filter = (value: Value, given: Arguments) => Value;

/** Returns a filter with named or positional arguments, the first of which is its value. */
export function filter(
  name: string,
  parameters: string,
  run: (value: Value, ...args: (Value | undefined)[]) => Value,
): Filter {
  return (value, { args, kwargs }) => {
    const [first, ...rest] = bind(name, parameters, { args: [value, ...args], kwargs });
    return run(first!, ...rest);
  };
}

export function filters(
  table: Record<string, [parameters: string, run: (value: Value, ...args: (Value | undefined)[]) => Value]>,
): Record<string, Filter> {
  return Object.fromEntries(
    Object.entries(table).map(([name, [parameters, run]]) => [name, filter(name, parameters, run)]),
  );
}

/** Returns a function that reads an attribute of items, by a path such as `user.name` or `0.name`. */
export function attributeGetter(
  path: Value,
  { fallback = null as Value, change = (value: Value): Value => value } = {},
): (item: Value) => Value {
  const parts = pathOf(path);
  return (item) => {
    let value = item;
    for (const part of parts) {
      value = getItem(value, part);
      if (fallback !== null && value instanceof Undefined) value = fallback;
    }
    return change(value);
  };
}

export function pathOf(path: Value): Value[] {
  if (path === null) return [];
  if (typeof path !== 'string') return [path];
  return path.split('.').map((part) => (/^\p{Nd}+$/u.test(part) ? BigInt(part) : part));
}

/** Returns a sort key: texts in lower case, unless case matters. */
export function caseKey(caseSensitive: Value | undefined): (value: Value) => Value {
  return caseSensitive ? (value) => value : (value) => (typeof value === 'string' ? value.toLowerCase() : value);
}
