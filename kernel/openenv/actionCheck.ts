import { NestingError } from '../common/nesting';
import type { JsonSchema } from '../schema/jsonSchema';
import { jsonValue, JsonValueError } from '../schema/jsonValue';
import { OpenEnvError, serverError } from './errors';
import { describeProblem, ValidationFailure, type ValidationProblem } from '../schema/problems';
import { shown } from '../common/shown';
import { meantProblems } from '../schema/meant';
import { otherToolActions } from './toolActions';
import { serverValidator } from '../schema/validate';

/**
 * Throws `VALIDATION_ERROR` when an action does not fit its schema; the message names
 * each field with its value and what is valid.
 */
export type ActionCheck = (action: unknown) => void;

/**
 * Returns a check of actions before they are sent, by the server's schema. Fields that
 * the schema does not have are an error where it forbids them, as pydantic's models
 * for OpenEnv do. What cannot be checked here, such as a pattern in Python's own
 * syntax, is left to the server.
 */
export function actionCheck(schema: JsonSchema): ActionCheck {
  const check = serverValidator(schema);
  const names = Object.keys(schema?.properties ?? {}).filter((name) => name !== 'metadata');
  return (action) => {
    if (typeof action !== 'object' || action === null || Array.isArray(action)) throw notAnObject(action, names);
    const sent = sentValue(action, 'The action');
    if (otherToolActions(schema).some(({ type }) => type === sent.type)) return;
    try {
      check?.(sent);
    } catch (error) {
      throw error instanceof ValidationFailure ? invalid('The action', error.problems) : error;
    }
  };
}

/**
 * Returns a value as it travels in JSON; `what` names it in the error. Throws
 * `VALIDATION_ERROR` when JSON cannot express a part of it.
 */
export function sentValue(value: unknown, what: string): any {
  try {
    return jsonValue(value, what);
  } catch (error) {
    if (error instanceof JsonValueError)
      throw new OpenEnvError('VALIDATION_ERROR', `${what} cannot be sent: ${error.describe()}.`);
    if (error instanceof NestingError) throw new OpenEnvError('VALIDATION_ERROR', error.message);
    throw error;
  }
}

/** Returns a server's error about an action with the problems of only those members of unions that the action means. */
export function meantError(error: OpenEnvError, schema: JsonSchema, action: object): OpenEnvError {
  const { errors } = (error.details ?? {}) as { errors?: unknown };
  if (error.code !== 'VALIDATION_ERROR' || !Array.isArray(errors)) return error;
  const meant = meantProblems(errors, schema, action);
  return meant.length === errors.length ? error : serverError({ ...(error.details as object), errors: meant });
}

/** Returns the error about a message that does not fit its schema and is not sent. */
export function invalid(what: string, problems: ValidationProblem[]): OpenEnvError {
  const lines = merged(problems).map((problem) => `\n  ${inPlainWords(describeProblem(problem))}`);
  return new OpenEnvError('VALIDATION_ERROR', `${what} does not fit its schema:${lines.join('')}`, problems);
}

function notAnObject(action: unknown, names: string[]): OpenEnvError {
  const example = names.length > 0 ? ` such as { ${names[0]}: … }` : '';
  return new OpenEnvError('VALIDATION_ERROR', `An action is an object${example}, not ${shown(action)}.`);
}

/**
 * Returns problems with those of a union's members joined: each member reports the
 * type that it wants, and one line says it for all.
 */
function merged(problems: ValidationProblem[]): ValidationProblem[] {
  const lines = new Map<string, ValidationProblem>();
  for (const problem of problems) {
    const wantsType = /^Input should be (?!greater|less)/.test(problem.msg);
    const key = `${problem.loc.join('.')} ${wantsType ? '' : problem.msg}`;
    const known = lines.get(key);
    if (!known) lines.set(key, problem);
    else if (wantsType && !known.msg.includes(problem.msg.slice(16)))
      lines.set(key, { ...known, msg: `${known.msg} or ${problem.msg.slice(16)}` });
  }
  return [...lines.values()];
}

/** Returns a text with JSON's types in place of the Python types that pydantic names. */
function inPlainWords(text: string): string {
  return text
    .replace('a valid dictionary', 'an object')
    .replace('a valid list', 'an array')
    .replace(/\bNone\b/, 'null');
}
