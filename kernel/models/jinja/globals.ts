/* The functions that templates find: Jinja's own and those of transformers. */
import { bind, integer } from './arguments';
import { fromKeys } from './attributes';
import { RaisedByTemplate, TemplateError } from './errors';
import { text } from './filters/repr';
import { strftime } from './filters/strftime';
import {
  Callable,
  Dict,
  iterate,
  Namespace,
  Range,
  typeOf,
  WithAttributes,
  type Arguments,
  type Value,
} from './values';

/** Longest range; Jinja's sandbox blocks longer ones. */
const LONGEST_RANGE = 100_000;

function range(given: Arguments): Value {
  const all = bind('range', 'start stop? step? /', given).map((value) => integer(value!, 'range()'));
  const [start, stop, step] = all.length === 1 ? [0n, all[0], 1n] : [all[0], all[1], all[2] ?? 1n];
  if (step === 0n) throw new TemplateError('range() arg 3 must not be zero');
  const made = new Range(start, stop, step);
  if (made.length > LONGEST_RANGE)
    throw new TemplateError(`Range too big. The sandbox blocks ranges larger than ${LONGEST_RANGE}.`);
  return made;
}

/** Returns Python's `dict(…)`. */
function dict({ args, kwargs }: Arguments): Dict {
  if (args.length > 1) throw new TemplateError(`dict expected at most 1 argument, got ${args.length}`);
  const made = new Dict();
  if (args[0] instanceof Dict) for (const [key, value] of args[0].entries()) made.set(key, value);
  else if (args.length === 1) {
    for (const pair of iterate(args[0])) {
      const [key, value, ...rest] = iterate(pair);
      if (value === undefined || rest.length > 0) throw new TemplateError('dict needs pairs of a key and a value');
      made.set(key, value);
    }
  }
  for (const [key, value] of kwargs) made.set(key, value);
  return made;
}

class DictFactory extends Callable {
  constructor() {
    super('dict', dict);
  }

  override attribute(name: string): Value | undefined {
    if (name !== 'fromkeys') return undefined;
    return new Callable(name, (given) => {
      const [keys, value = null] = bind(name, 'iterable value? /', given);
      return fromKeys(keys!, value);
    });
  }
}

class Cycler extends WithAttributes {
  readonly type = 'Cycler';
  private at = 0;
  constructor(private readonly items: readonly Value[]) {
    super();
    if (items.length === 0) throw new TemplateError('at least one item has to be provided');
  }

  attribute(name: string): Value | undefined {
    if (name === 'current') return this.items[this.at];
    if (name === 'pos') return BigInt(this.at);
    if (name === 'reset') return new Callable(name, () => ((this.at = 0), null));
    if (name !== 'next') return undefined;
    return new Callable(name, () => {
      const item = this.items[this.at];
      this.at = (this.at + 1) % this.items.length;
      return item;
    });
  }
}

function joiner(given: Arguments): Value {
  const [separator = ', '] = bind('joiner', 'sep?', given);
  let used = false;
  return new Callable('Joiner', () => {
    if (used) return separator;
    used = true;
    return '';
  });
}

function raise(given: Arguments): never {
  throw new RaisedByTemplate(text(bind('raise_exception', 'message', given)[0]!));
}

function now(given: Arguments): Value {
  const [format] = bind('strftime_now', 'format', given);
  if (typeof format !== 'string') throw new TemplateError(`strftime() argument 1 must be str, not ${typeOf(format!)}`);
  return strftime(format, new Date());
}

export function globals(): [string, Value][] {
  return [
    new Callable('range', range),
    new DictFactory(),
    new Callable('namespace', (given) => new Namespace(dict(given))),
    new Callable('cycler', ({ args }) => new Cycler(args)),
    new Callable('joiner', joiner),
    new Callable('lipsum', () => {
      throw new TemplateError('lipsum gives another text each time, so it is not possible in chat templates here');
    }),
    new Callable('raise_exception', raise),
    new Callable('strftime_now', now),
  ].map((one): [string, Value] => [one.name, one]);
}
