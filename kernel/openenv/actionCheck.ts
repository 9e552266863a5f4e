import { NestingError } from '../common/nesting';
import type { JsonSchema } from '../schema/jsonSchema';
import { jsonValue, JsonValueError } from '../schema/jsonValue';
import { OpenEnvError, serverError } from './errors';
import { describeProblem, ValidationFailure, type ValidationProblem } from '../schema/problems';
import { shown } from '../common/shown';
import { meantProblems } from '../schema/meant';
import { otherToolActions } from './toolActions';
import { serverValidator } from '../schema/validate';

/** Throws `VALIDATION_ERROR` when an action does not fit: each field with its value and what is valid. */
export type ActionCheck = (action: unknown) => void;

/**
 * A check of actions before they are sent, by the schema that the server
 * gives, where it can be used. Fields beyond the schema are an error where it
 * says so, as pydantic's models for OpenEnv do. What cannot be checked here,
 * such as a pattern in Python's own terms, is left to the server.
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

/** A value as JSON has it; `what` names it. Fails with `VALIDATION_ERROR` where JSON has nothing for a part of it. */
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

/** A server's error about an action, of which it tells only what concerns the members of unions that the action means. */
export function meantError(error: OpenEnvError, schema: JsonSchema, action: object): OpenEnvError {
  const { errors } = (error.details ?? {}) as { errors?: unknown };
  if (error.code !== 'VALIDATION_ERROR' || !Array.isArray(errors)) return error;
  const meant = meantProblems(errors, schema, action);
  return meant.length === errors.length ? error : serverError({ ...(error.details as object), errors: meant });
}

/** An error about a message that was not sent. */
export function invalid(what: string, problems: ValidationProblem[]): OpenEnvError {
  const lines = merged(problems).map((problem) => `\n  ${inPlainWords(describeProblem(problem))}`);
  return new OpenEnvError('VALIDATION_ERROR', `${what} does not fit its schema:${lines.join('')}`, problems);
}

function notAnObject(action: unknown, names: string[]): OpenEnvError {
  const example = names.length > 0 ? ` such as { ${names[0]}: … }` : '';
  return new OpenEnvError('VALIDATION_ERROR', `An action is an object${example}, not ${shown(action)}.`);
}

/** The members of a union each report the type that they want: one line says it for all. */
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

/** pydantic speaks of Python's types. */
function inPlainWords(text: string): string {
  return text
    .replace('a valid dictionary', 'an object')
    .replace('a valid list', 'an array')
    .replace(/\bNone\b/, 'null');
}
