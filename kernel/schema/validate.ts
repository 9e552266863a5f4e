import type { default as Ajv, ErrorObject, Options, ValidateFunction } from 'ajv/dist/2020';
import { DeadlineError, withDeadline } from '../common/threads/deadline';
import { isCheap } from './cost';
import type { JsonSchema } from './jsonSchema';
import { meantSchema } from './meant';
import { compilePattern } from './pattern';
import { pointer, problemOf, ValidationFailure } from './problems';
import { INCOMPLETE } from './read';

/** Thrown when a schema is not valid JSON Schema. */
export class SchemaError extends TypeError {
  override readonly name = 'SchemaError';
}

/** Throws a {@link ValidationFailure} with the problems of a value (the first 20). */
export type Validate = (value: unknown) => void;

/** Options of {@link validator}. */
export interface ValidatorOptions {
  /** Whether the check also fills in missing fields that have a default. */
  useDefaults?: boolean;
}

/**
 * Where a bigint passes as a number: `anywhere`, or only where the schema says so
 * (`format: "bigint"`); there, one that a number holds exactly becomes a number.
 */
type BigInts = 'anywhere' | 'declared';

/** Milliseconds that compiling a check may take. */
const COMPILE_DEADLINE = 3000;
/** Milliseconds that a check may take where it is not cheap (see {@link isCheap}). */
const DEADLINE = 500;

/**
 * Returns a check by a JSON Schema.
 *
 * @param what names the schema in the error
 * @throws SchemaError when it is not a valid JSON Schema
 */
export function validator(schema: object, what: string, { useDefaults = false }: ValidatorOptions = {}): Validate {
  const errorsOf = compile(newAjv({ useDefaults }), schema, what, 'declared');
  return (value) => {
    const errors = left(() => errorsOf(value));
    if (!errors)
      throw new ValidationFailure([
        {
          type: 'value_error',
          loc: [],
          msg: `Input could not be checked within ${DEADLINE / 1000} s: it is too large, or a pattern takes too long`,
          input: undefined,
        },
      ]);
    if (errors.length > 0) throw new ValidationFailure(relevant(errors).map((error) => problemOf(error, value)));
  };
}

/**
 * Returns a check by a schema that a server sent. What cannot be checked here in time,
 * or at all, such as a pattern in Python's own syntax, is left to the server; `null`
 * where that is everything.
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
    else if (errors.length > 0) throw new ValidationFailure(relevant(errors).map((error) => problemOf(error, value)));
  };
}

/** Returns the result of `work`; `undefined` where it takes too long, or overflows the stack. */
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
    return errors.some(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
      ? meantErrors(schema, value, errors, bigints)
      : errors;
  };
  return isCheap(schema) ? check : (value) => withDeadline(() => check(value), DEADLINE);
}

function newAjv(options: Options): Ajv {
  // Loaded on first use: it is large.
  const { default: Ajv2020 } = require('ajv/dist/2020') as { default: typeof Ajv };
  // Schemas are the user's own and may hold keywords for other readers; formats are not checked.
  return new Ajv2020({
    allErrors: true,
    strict: false,
    strictNumbers: true,
    ownProperties: true,
    validateFormats: false,
    verbose: true,
    logger: false,
    code: { regExp: compilePattern },
    ...options,
  });
}

function compiled(ajv: Ajv, schema: JsonSchema, what: string): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw new SchemaError(`The JSON Schema of the ${what} is not valid: ${(error as Error).message}.`);
  }
}

/** Returns the errors of only those members of unions that a value means; all errors where these have none. */
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
 * Returns the errors of a value's last check, bigints counted as numbers where they
 * pass as such. ajv does not take a bigint for a number: the value is checked again
 * with numbers in their place, and where a number is too coarse the bigint itself
 * decides.
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

/** Returns whether an error about a number also holds for the bigint that it replaced. */
function fails(exact: bigint, { keyword, params }: ErrorObject): boolean {
  switch (keyword) {
    case 'minimum':
      return exact < params.limit;
    case 'maximum':
      return exact > params.limit;
    case 'exclusiveMinimum':
      return exact <= params.limit;
    case 'exclusiveMaximum':
      return exact >= params.limit;
    case 'multipleOf':
      return Number.isInteger(params.multipleOf) && exact % BigInt(params.multipleOf) !== 0n;
    default:
      return true;
  }
}

/** Returns at most 20 errors, without those of a whole union that one of its members explains better. */
function relevant(errors: ErrorObject[]): ErrorObject[] {
  const own = errors.filter(({ keyword }) => !['anyOf', 'oneOf', 'if', 'propertyNames'].includes(keyword));
  return (own.length > 0 ? own : errors).slice(0, 20);
}
