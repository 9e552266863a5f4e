import type { default as Ajv, ErrorObject, ValidateFunction } from 'ajv/dist/2020';
import { describeProblem, OpenEnvError } from '../errors';

/** One problem of a message, as pydantic reports it. */
export interface ValidationProblem {
  /** pydantic's name of the problem: "missing", "extra_forbidden", "literal_error" … */
  type: string;
  /** Where: names and indices. */
  loc: (string | number)[];
  msg: string;
  /** What was given; left out where it is large. */
  input?: unknown;
  ctx?: Record<string, unknown>;
}

/** A message that is not what it should be. */
export class ValidationFailure extends Error {
  override readonly name = 'ValidationFailure';

  constructor(readonly problems: ValidationProblem[]) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super(`Invalid message: ${describeProblem(problems[0])}${more}`);
  }
}

/** Throws a {@link ValidationFailure} that lists everything that is wrong with a value. */
export type Validate = (value: unknown) => void;

/**
 * A check by a JSON Schema. `what` names the schema in the error that is
 * thrown when it is not one.
 *
 * @param useDefaults the check also fills in what is missing and has a default
 */
export function validator(schema: object, what: string, { useDefaults = false } = {}): Validate {
  const validate = compile(schema, what, useDefaults);
  return (value) => {
    if (validate(value)) return;
    const errors = relevant(validate.errors ?? []);
    throw new ValidationFailure(errors.map((error) => problem(error, value)));
  };
}

function compile(schema: object, what: string, useDefaults: boolean): ValidateFunction {
  // Loaded on first use: it is large.
  const { default: Ajv2020 } = require('ajv/dist/2020') as { default: typeof Ajv };
  // Schemas are the user's own and may hold keywords for other readers; formats are not checked.
  const ajv = new Ajv2020({ allErrors: true, strict: false, strictNumbers: true, validateFormats: false, verbose: true, logger: false, useDefaults });
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw new OpenEnvError('INVALID_ARGUMENT', `The JSON Schema of the ${what} is not valid: ${(error as Error).message}.`);
  }
}

/** Without what a union reports in sum when one of its members says it better. */
function relevant(errors: ErrorObject[]): ErrorObject[] {
  const told = errors.filter(({ keyword }) => !['anyOf', 'oneOf', 'if'].includes(keyword));
  return (told.length > 0 ? told : errors).slice(0, 20);
}

/** Characters of a text, and entries of an object, that a problem quotes: the sender knows what it sent. */
const QUOTED_CHARACTERS = 200;
const QUOTED_ENTRIES = 50;

/** A value as a problem quotes it: a long text is cut, a large object left out. */
function quoted(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  const open = [value];
  for (let count = 0; open.length > 0; count++) {
    const next = open.pop();
    if (count > QUOTED_ENTRIES || (typeof next === 'string' && next.length > QUOTED_CHARACTERS)) return undefined;
    if (typeof next === 'object' && next !== null) for (const name in next) if (open.push((next as Record<string, unknown>)[name], name) > QUOTED_ENTRIES) return undefined;
  }
  return value;
}

function cut(text: string): string {
  return text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
}

function problem(error: ErrorObject, value: unknown): ValidationProblem {
  const { loc, input, ...rest } = fullProblem(error, value);
  return { ...rest, loc: loc.map((part) => (typeof part === 'string' ? cut(part) : part)), input: quoted(input) };
}

function fullProblem(error: ErrorObject, value: unknown): ValidationProblem {
  const loc = pointer(error.instancePath);
  const { params, keyword, data, message } = error;
  switch (keyword) {
    case 'required':
      return { type: 'missing', loc: [...loc, params.missingProperty], msg: 'Field required', input: data };
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = params.additionalProperty ?? params.unevaluatedProperty;
      const expected = Object.keys(error.parentSchema?.properties ?? {}).filter((it) => it !== 'metadata').join(', ');
      return { type: 'extra_forbidden', loc: [...loc, name], msg: 'Extra inputs are not permitted', input: (data as Record<string, unknown>)[name], ...(expected ? { ctx: { expected } } : {}) };
    }
    case 'type':
      return { type: TYPE_NAMES[params.type] ?? 'type_error', loc, msg: `Input should be ${typeWords(params.type)}`, input: data };
    case 'enum':
      return { type: 'literal_error', loc, msg: `Input should be ${alternatives(params.allowedValues)}`, input: data, ctx: { expected: alternatives(params.allowedValues) } };
    case 'const':
      return { type: 'literal_error', loc, msg: `Input should be ${literal(params.allowedValue)}`, input: data, ctx: { expected: literal(params.allowedValue) } };
    case 'minimum':
      return { type: 'greater_than_equal', loc, msg: `Input should be greater than or equal to ${params.limit}`, input: data, ctx: { ge: params.limit } };
    case 'maximum':
      return { type: 'less_than_equal', loc, msg: `Input should be less than or equal to ${params.limit}`, input: data, ctx: { le: params.limit } };
    default:
      return { type: 'value_error', loc, msg: `Input ${message ?? 'is not valid'}`, input: data ?? value };
  }
}

const TYPE_NAMES: Record<string, string> = {
  object: 'dict_type', array: 'list_type', string: 'string_type', number: 'float_type', integer: 'int_type', boolean: 'bool_type', null: 'none_required',
};

const WORDS: Record<string, string> = {
  object: 'a valid dictionary', array: 'a valid list', string: 'a valid string', number: 'a valid number', integer: 'a valid integer', boolean: 'a valid boolean', null: 'None',
};

function typeWords(type: string | string[]): string {
  return [type].flat().map((name) => WORDS[name] ?? name).join(' or ');
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}

/** As pydantic writes it: `'up', 'down' or 'left'`. */
function alternatives(values: unknown[]): string {
  const words = values.map(literal);
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** The parts of a JSON pointer; indices as numbers. */
function pointer(path: string): (string | number)[] {
  const parts = path.split('/').slice(1).map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
