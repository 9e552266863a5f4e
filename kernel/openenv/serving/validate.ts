import type { default as Ajv, ErrorObject, Options, ValidateFunction } from 'ajv/dist/2020';
import { DeadlineError, withDeadline } from '../../common/deadline';
import { stringifyExact } from '../../common/exactJson';
import { isCheap } from '../../schema/cost';
import type { JsonSchema } from '../../schema/jsonSchema';
import { meantSchema } from '../../schema/meant';
import { compilePattern } from '../../schema/pattern';
import { INCOMPLETE } from '../../schema/read';
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

/** Options of {@link validator}. */
export interface ValidatorOptions {
  /** The check also fills in what is missing and has a default. */
  useDefaults?: boolean;
}

/**
 * Where a bigint passes as a number: `anywhere`, or where the schema says so
 * (`format: "bigint"`) alone. There, one that a number can hold becomes that.
 */
type BigInts = 'anywhere' | 'declared';

/** Milliseconds that the making of a check may take. */
const COMPILE_DEADLINE = 3000;
/** Milliseconds that a check may take whose time does not grow with the value alone. */
const DEADLINE = 500;

/**
 * A check by a JSON Schema. `what` names the schema in the error that is
 * thrown when it is not one.
 */
export function validator(schema: object, what: string, { useDefaults = false }: ValidatorOptions = {}): Validate {
  const errorsOf = compile(newAjv({ useDefaults }), schema, what, 'declared');
  return (value) => {
    const errors = left(() => errorsOf(value));
    if (!errors) throw new ValidationFailure([{ type: 'value_error', loc: [], msg: `Input could not be checked within ${DEADLINE / 1000} s: it is too large, or a pattern takes too long`, input: undefined }]);
    if (errors.length > 0) throw new ValidationFailure(relevant(errors).map((error) => problem(error, value)));
  };
}

/**
 * A check by a schema that a server sent: what cannot be checked here in time,
 * or not at all, such as a pattern in Python's own terms, is left to the
 * server. `null` where that is all of it.
 */
export function serverValidator(schema: JsonSchema): Validate | null {
  if (INCOMPLETE in schema) return null;
  let errorsOf: ErrorsOf | null = null;
  try {
    // Before the deadline: a module whose loading is ended would stay half loaded.
    const ajv = newAjv({});
    if (JSON.stringify(schema).includes('"pattern')) compilePattern('', '');
    errorsOf = withDeadline(() => compile(ajv, schema, 'action', 'anywhere'), COMPILE_DEADLINE);
  } catch {
    return null;
  }
  return (value) => {
    const errors = left(() => errorsOf?.(value));
    if (errors === undefined) errorsOf = null;
    else if (errors.length > 0) throw new ValidationFailure(relevant(errors).map((error) => problem(error, value)));
  };
}

/** What `work` gives; nothing where it takes too long, or has no end. */
function left<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof DeadlineError || error instanceof RangeError) return undefined;
    throw error;
  }
}

type ErrorsOf = (value: unknown) => ErrorObject[];

function compile(ajv: Ajv, schema: JsonSchema, what: string, bigints: BigInts): ErrorsOf {
  const validate = compiled(ajv, schema, what);
  const check = (value: unknown): ErrorObject[] => {
    if (validate(value)) return [];
    const errors = exactErrors(validate, value, bigints);
    return errors.some(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf') ? meantErrors(schema, value, errors, bigints) : errors;
  };
  return isCheap(schema) ? check : (value) => withDeadline(() => check(value), DEADLINE);
}

function newAjv(options: Options): Ajv {
  // Loaded on first use: it is large.
  const { default: Ajv2020 } = require('ajv/dist/2020') as { default: typeof Ajv };
  // Schemas are the user's own and may hold keywords for other readers; formats are not checked.
  return new Ajv2020({ allErrors: true, strict: false, strictNumbers: true, ownProperties: true, validateFormats: false, verbose: true, logger: false, code: { regExp: compilePattern }, ...options });
}

function compiled(ajv: Ajv, schema: JsonSchema, what: string): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw new OpenEnvError('INVALID_ARGUMENT', `The JSON Schema of the ${what} is not valid: ${(error as Error).message}.`);
  }
}

/** The errors of the members of unions that a value means, where these alone have any. */
function meantErrors(schema: JsonSchema, value: unknown, errors: ErrorObject[], bigints: BigInts): ErrorObject[] {
  try {
    const validate = newAjv({ meta: false, validateSchema: false }).compile(meantSchema(schema, value));
    const meant = validate(value) ? [] : exactErrors(validate, value, bigints);
    return meant.length > 0 ? meant : errors;
  } catch {
    return errors;
  }
}

/**
 * The errors of a value's last check. To ajv a bigint is no number: where it
 * passes as one, the value is checked again with numbers in their place, and
 * what these are too coarse for is decided by the bigint itself.
 */
function exactErrors(validate: ValidateFunction, value: unknown, bigints: BigInts): ErrorObject[] {
  const errors = validate.errors ?? [];
  const large = new Map<string, bigint>();
  for (const { data, instancePath, parentSchema } of errors) {
    if (typeof data !== 'bigint') continue;
    const passes = bigints === 'anywhere' || parentSchema?.format === 'bigint' || BigInt(Number(data)) === data;
    if (passes) large.set(instancePath, data);
  }
  if (large.size === 0) return errors;
  const coarse = structuredClone(value);
  for (const [path, exact] of large) {
    const keys = pointer(path);
    if (keys.length === 0) return errors;
    const parent = (from: unknown): any => keys.slice(0, -1).reduce((part: any, key) => part[key], from);
    parent(coarse)[keys.at(-1)!] = Number(exact);
    // A class's own number has what is exactly one.
    if (bigints === 'declared' && BigInt(Number(exact)) === exact) parent(value)[keys.at(-1)!] = Number(exact);
  }
  if (validate(coarse)) return [];
  return (validate.errors ?? []).flatMap((error) => {
    const exact = large.get(error.instancePath);
    return exact === undefined ? [error] : fails(exact, error) ? [{ ...error, data: exact }] : [];
  });
}

/** Whether an error about a number is one about the integer in whose place it stood. */
function fails(exact: bigint, { keyword, params }: ErrorObject): boolean {
  switch (keyword) {
    case 'minimum': return exact < params.limit;
    case 'maximum': return exact > params.limit;
    case 'exclusiveMinimum': return exact <= params.limit;
    case 'exclusiveMaximum': return exact >= params.limit;
    case 'multipleOf': return Number.isInteger(params.multipleOf) && exact % BigInt(params.multipleOf) !== 0n;
    default: return true;
  }
}

/** Without what a union reports in sum when one of its members says it better. */
function relevant(errors: ErrorObject[]): ErrorObject[] {
  const told = errors.filter(({ keyword }) => !['anyOf', 'oneOf', 'if', 'propertyNames'].includes(keyword));
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
  const loc = [...pointer(error.instancePath), ...(error.propertyName === undefined ? [] : [error.propertyName])];
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
      if (typeof data === 'number' && !Number.isFinite(data)) return { type: 'finite_number', loc, msg: 'Input should be a finite number', input: String(data) };
      if (typeof data === 'bigint') return { type: 'int_parsing_size', loc, msg: 'Input should be a number that TypeScript holds exactly: whole ones from -(2^53 - 1) to 2^53 - 1', input: data };
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
  return typeof value === 'string' ? `'${value}'` : stringifyExact(value);
}

/** Values that are told of an enumeration. */
const MOST_VALUES = 50;

/** As pydantic writes it: `'up', 'down' or 'left'`. */
function alternatives(values: unknown[]): string {
  const words = values.slice(0, MOST_VALUES).map(literal);
  if (values.length > MOST_VALUES) return `${words.join(', ')} or one of ${values.length - MOST_VALUES} more`;
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** The parts of a JSON pointer; indices as numbers. */
function pointer(path: string): (string | number)[] {
  const parts = path.split('/').slice(1).map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
