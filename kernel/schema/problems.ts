import type { ErrorObject } from 'ajv/dist/2020';
import { stringifyExact } from '../common/exactJson';
import { shown } from '../common/shown';

/** One problem of a message, as pydantic reports it. */
export interface ValidationProblem {
  /** pydantic's name of the problem: "missing", "extra_forbidden", "literal_error" … */
  type: string;
  /** Path of the value: names and indices. */
  loc: (string | number)[];
  msg: string;
  /** The value that was given; left out where it is large. */
  input?: unknown;
  ctx?: Record<string, unknown>;
}

/** Thrown when a message does not fit its schema. */
export class ValidationFailure extends Error {
  override readonly name = 'ValidationFailure';

  constructor(readonly problems: ValidationProblem[]) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super(`Invalid message: ${describeProblem(problems[0])}${more}`);
  }
}

/** Returns an entry of pydantic's `ValidationError.errors()` as a sentence. */
export function describeProblem(problem: any): string {
  const where = Array.isArray(problem?.loc) && problem.loc.length > 0 ? `${problem.loc.join('.')}: ` : '';
  if (problem?.type === 'extra_forbidden')
    return `There is no field '${problem.loc?.join('.')}'.${problem.ctx?.expected ? ` Valid: ${problem.ctx.expected}.` : ''}`;
  const given =
    problem?.input !== undefined && (typeof problem.input !== 'object' || problem.input === null)
      ? ` (given: ${shown(problem.input)})`
      : '';
  return `${where}${problem?.msg ?? shown(problem)}${given}`;
}

/** Characters of a text, and entries of an object, that a problem quotes at most. */
const QUOTED_CHARACTERS = 200;
const QUOTED_ENTRIES = 50;

function quotedText(text: string): string {
  return text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
}

/** Returns a value as a problem quotes it: a long text is cut, a large object is left out (`undefined`). */
function quoted(value: unknown): unknown {
  if (typeof value === 'string') return quotedText(value);
  const open = [value];
  for (let count = 0; open.length > 0; count++) {
    const next = open.pop();
    if (count > QUOTED_ENTRIES || (typeof next === 'string' && next.length > QUOTED_CHARACTERS)) return undefined;
    if (typeof next === 'object' && next !== null)
      for (const name in next)
        if (open.push((next as Record<string, unknown>)[name], name) > QUOTED_ENTRIES) return undefined;
  }
  return value;
}

/** Returns an error of ajv as pydantic reports it; long names and values are cut. */
export function problemOf(error: ErrorObject, value: unknown): ValidationProblem {
  const { loc, input, ...rest } = fullProblem(error, value);
  return {
    ...rest,
    loc: loc.map((part) => (typeof part === 'string' ? quotedText(part) : part)),
    input: quoted(input),
  };
}

function fullProblem(error: ErrorObject, value: unknown): ValidationProblem {
  const loc = [...pointer(error.instancePath), ...(error.propertyName === undefined ? [] : [error.propertyName])];
  const { params, keyword, data, message } = error;
  switch (keyword) {
    case 'required':
      return { type: 'missing', loc: [...loc, params.missingProperty], msg: 'Field required', input: data };
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = params.additionalProperty ?? params.unevaluatedProperty;
      const expected = Object.keys(error.parentSchema?.properties ?? {})
        .filter((it) => it !== 'metadata')
        .join(', ');
      return {
        type: 'extra_forbidden',
        loc: [...loc, name],
        msg: 'Extra inputs are not permitted',
        input: (data as Record<string, unknown>)[name],
        ...(expected ? { ctx: { expected } } : {}),
      };
    }
    case 'type':
      if (typeof data === 'number' && !Number.isFinite(data))
        return { type: 'finite_number', loc, msg: 'Input should be a finite number', input: String(data) };
      if (typeof data === 'bigint')
        return {
          type: 'int_parsing_size',
          loc,
          msg: 'Input should be a number that TypeScript holds exactly: whole ones from -(2^53 - 1) to 2^53 - 1',
          input: data,
        };
      return {
        type: TYPE_NAMES[params.type] ?? 'type_error',
        loc,
        msg: `Input should be ${typeWords(params.type)}`,
        input: data,
      };
    case 'enum':
      return {
        type: 'literal_error',
        loc,
        msg: `Input should be ${alternatives(params.allowedValues)}`,
        input: data,
        ctx: { expected: alternatives(params.allowedValues) },
      };
    case 'const':
      return {
        type: 'literal_error',
        loc,
        msg: `Input should be ${literal(params.allowedValue)}`,
        input: data,
        ctx: { expected: literal(params.allowedValue) },
      };
    case 'minimum':
      return {
        type: 'greater_than_equal',
        loc,
        msg: `Input should be greater than or equal to ${params.limit}`,
        input: data,
        ctx: { ge: params.limit },
      };
    case 'maximum':
      return {
        type: 'less_than_equal',
        loc,
        msg: `Input should be less than or equal to ${params.limit}`,
        input: data,
        ctx: { le: params.limit },
      };
    default:
      return { type: 'value_error', loc, msg: `Input ${message ?? 'is not valid'}`, input: data ?? value };
  }
}

const TYPE_NAMES: Record<string, string> = {
  object: 'dict_type',
  array: 'list_type',
  string: 'string_type',
  number: 'float_type',
  integer: 'int_type',
  boolean: 'bool_type',
  null: 'none_required',
};

const WORDS: Record<string, string> = {
  object: 'a valid dictionary',
  array: 'a valid list',
  string: 'a valid string',
  number: 'a valid number',
  integer: 'a valid integer',
  boolean: 'a valid boolean',
  null: 'None',
};

function typeWords(type: string | string[]): string {
  return [type]
    .flat()
    .map((name) => WORDS[name] ?? name)
    .join(' or ');
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : stringifyExact(value);
}

/** Values of an enumeration that a message lists. */
const MOST_VALUES = 50;

/** Returns a list of values as pydantic writes it: `'up', 'down' or 'left'`. */
function alternatives(values: unknown[]): string {
  const words = values.slice(0, MOST_VALUES).map(literal);
  if (values.length > MOST_VALUES) return `${words.join(', ')} or one of ${values.length - MOST_VALUES} more`;
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** Returns the parts of a JSON pointer, indices as numbers. */
export function pointer(path: string): (string | number)[] {
  const parts = path
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
