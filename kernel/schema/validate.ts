import type { default as Ajv, ErrorObject, Options, ValidateFunction } from 'ajv/dist/2020';
import { DeadlineError, withDeadline } from '../common/threads/deadline';
import { isCheap } from './cost';
import type { JsonSchema } from './jsonSchema';
import { meantSchema } from './meant';
import { compilePattern } from './pattern';
import { pointer, problemOf, ValidationFailure } from './problems';
import { INCOMPLETE } from './read';

/** A schema that is none. */
export class SchemaError extends TypeError {
  override readonly name = 'SchemaError';
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
    else if (errors.length > 0) throw new ValidationFailure(relevant(errors).map((error) => problemOf(error, value)));
  };
}

/** Returns the result of `work`; nothing where it takes too long, or has no end. */
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

/** Returns whether an error about a number is one about the integer in whose place it stood. */
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

/** Returns errors without those of a whole union that one of its members explains better. */
function relevant(errors: ErrorObject[]): ErrorObject[] {
  const own = errors.filter(({ keyword }) => !['anyOf', 'oneOf', 'if', 'propertyNames'].includes(keyword));
  return (own.length > 0 ? own : errors).slice(0, 20);
}
