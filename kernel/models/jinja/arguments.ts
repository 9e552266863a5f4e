/* Arguments of functions, by place or by name. */
import { TemplateError } from './errors';
import { numberOf } from './numbers';
import { Markup, typeOf, Undefined, type Arguments, type Value } from './values';

/**
 * Returns arguments in the order of the parameters, as `a b? c?`: those with a
 * question mark may be left out; those before a `/` have no name. Throws as Python
 * does when they do not fit.
 */
export function bind(name: string, parameters: string, { args, kwargs }: Arguments): (Value | undefined)[] {
  const { names, required, positional } = parse(parameters);
  if (args.length > names.length)
    throw new TemplateError(
      `${name}() takes at most ${names.length} argument${names.length === 1 ? '' : 's'} (${args.length} given)`,
    );
  const values: (Value | undefined)[] = [...args];
  for (const [key, value] of kwargs) {
    const place = names.indexOf(key);
    if (place < positional) throw new TemplateError(`${name}() got an unexpected keyword argument '${key}'`);
    if (place < args.length) throw new TemplateError(`${name}() got multiple values for argument '${key}'`);
    values[place] = value;
  }
  for (let i = 0; i < required; i++)
    if (values[i] === undefined) throw new TemplateError(`${name}() missing required argument: '${names[i]}'`);
  return values;
}

interface Parameters {
  names: string[];
  required: number;
  positional: number;
}

const parsed = new Map<string, Parameters>();

function parse(parameters: string): Parameters {
  let known = parsed.get(parameters);
  if (!known) {
    const all = parameters.split(' ').filter(Boolean);
    const slash = all.indexOf('/');
    const plain = all.filter((one) => one !== '/');
    known = {
      names: plain.map((one) => one.replace('?', '')),
      required: plain.filter((one) => !one.endsWith('?')).length,
      positional: Math.max(slash, 0),
    };
    parsed.set(parameters, known);
  }
  return known;
}

/** Returns an integer that Python accepts as an index or a count. Throws when the value is none. */
export function integer(value: Value, what = 'argument'): bigint {
  if (value instanceof Undefined) value.fail();
  const number = numberOf(value);
  if (typeof number !== 'bigint')
    throw new TemplateError(`${what}: '${typeOf(value)}' object cannot be interpreted as an integer`);
  return number;
}

/** Returns an integer as {@link integer}, as a number, limited to ±2⁵², beyond any text or list. */
export function count(value: Value, what?: string): number {
  const number = integer(value, what);
  return Number(number > 2n ** 52n ? 2n ** 52n : number < -(2n ** 52n) ? -(2n ** 52n) : number);
}

export function string(value: Value, what: string): string {
  if (typeof value === 'string') return value;
  if (value instanceof Undefined) value.fail();
  if (value instanceof Markup) throw new TemplateError(`${what} with a text that was escaped is not possible here`);
  throw new TemplateError(`${what} must be str, not ${typeOf(value)}`);
}
