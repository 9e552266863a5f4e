/* `value | filter`: all filters by name. */
import { bind } from '../arguments';
import { TemplateError } from '../errors';
import { SEQUENCE_FILTERS } from './sequenceFilters';
import { TEXT_FILTERS } from './textFilters';
import { VALUE_FILTERS } from './valueFilters';
import { attribute, getAttribute } from '../attributes';
import { isTrue, iterate, Once, type Arguments, type Value, Undefined } from '../values';
import { callTest } from './tests';
import { attributeGetter, type Filter } from './filterArguments';

const FILTERS: Record<string, Filter> = { ...SEQUENCE_FILTERS, ...TEXT_FILTERS, ...VALUE_FILTERS };

export function callFilter(name: string, value: Value, given: Arguments): Value {
  if (Object.hasOwn(SELECTING, name)) return new Once(SELECTING[name](value, given));
  if (name === 'attr') return attr(value, given);
  if (!Object.hasOwn(FILTERS, name)) throw new TemplateError(`No filter named '${name}'.`);
  return FILTERS[name](value, given);
}

function attr(value: Value, { args, kwargs }: Arguments): Value {
  const [, name] = bind('attr', 'obj name', { args: [value, ...args], kwargs });
  if (typeof name !== 'string') throw new TemplateError('attribute name must be string');
  if (value instanceof Undefined) value.fail();
  return attribute(value, name) === undefined
    ? new Undefined(`there is no attribute '${name}'`)
    : getAttribute(value, name);
}

/** Filters that are lazy: they read their items one by one. */
const SELECTING: Record<string, (value: Value, given: Arguments) => Iterator<Value>> = {
  map: mapped,
  select: (value, given) => selected(value, given, false, true),
  reject: (value, given) => selected(value, given, false, false),
  selectattr: (value, given) => selected(value, given, true, true),
  rejectattr: (value, given) => selected(value, given, true, false),
};

function* mapped(value: Value, given: Arguments): Iterator<Value> {
  if (!isTrue(value)) return;
  const change = mapping(given);
  for (const item of iterate(value)) yield change(item);
}

function mapping({ args, kwargs }: Arguments): (item: Value) => Value {
  if (args.length === 0 && kwargs.has('attribute')) {
    const { attribute: name, default: fallback = null, ...rest } = Object.fromEntries(kwargs);
    for (const unexpected of Object.keys(rest)) throw new TemplateError(`Unexpected keyword argument '${unexpected}'`);
    return attributeGetter(name, { fallback });
  }
  const [name, ...more] = args;
  if (typeof name !== 'string') throw new TemplateError('map requires a filter argument');
  return (item) => callFilter(name, item, { args: more, kwargs });
}

function* selected(value: Value, given: Arguments, byAttribute: boolean, kept: boolean): Iterator<Value> {
  if (!isTrue(value)) return;
  const args = [...given.args];
  if (byAttribute && args.length === 0) throw new TemplateError('Missing parameter for attribute name');
  const get = byAttribute ? attributeGetter(args.shift()!) : (item: Value) => item;
  const name = args.shift();
  if (name !== undefined && typeof name !== 'string') throw new TemplateError('the name of a test must be a text');
  for (const item of iterate(value)) {
    const part = get(item);
    const passes = name === undefined ? isTrue(part) : callTest(name, part, { args, kwargs: given.kwargs });
    if (passes === kept) yield item;
  }
}
