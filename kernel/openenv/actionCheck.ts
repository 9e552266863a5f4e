import { describeProblem, OpenEnvError } from './errors';
import { otherToolActions } from './toolActions';
import { validator, ValidationFailure, type Validate, type ValidationProblem } from './serving/validate';

type JsonSchema = Record<string, any>;

/** Throws `VALIDATION_ERROR` when an action does not fit: each field with its value and what is valid. */
export type ActionCheck = (action: unknown) => void;

/**
 * A check of actions before they are sent, by the schema that the server
 * gives. Fields beyond the schema are an error where it says so, as pydantic's
 * models for OpenEnv do. What cannot be checked here, such as a pattern in
 * Python's own terms, is left to the server.
 */
export function actionCheck(schema: JsonSchema): ActionCheck {
  const check = compile(schema);
  const names = Object.keys(schema?.properties ?? {}).filter((name) => name !== 'metadata');
  return (action) => {
    if (typeof action !== 'object' || action === null || Array.isArray(action)) throw notAnObject(action, names);
    if (otherToolActions(schema).some(({ type }) => type === (action as { type?: string }).type)) return;
    try {
      check?.(action);
    } catch (error) {
      throw error instanceof ValidationFailure ? invalid('The action', error.problems) : error;
    }
  };
}

/** An error about a message that was not sent. */
export function invalid(what: string, problems: ValidationProblem[]): OpenEnvError {
  const lines = merged(problems).map((problem) => `\n  ${inPlainWords(describeProblem(problem))}`);
  return new OpenEnvError('VALIDATION_ERROR', `${what} does not fit its schema:${lines.join('')}`, problems);
}

function compile(schema: JsonSchema): Validate | null {
  try {
    return validator(schema, 'action');
  } catch {
    return null;
  }
}

function notAnObject(action: unknown, names: string[]): OpenEnvError {
  const example = names.length > 0 ? ` such as { ${names[0]}: … }` : '';
  return new OpenEnvError('VALIDATION_ERROR', `An action is an object${example}, not ${JSON.stringify(action) ?? String(action)}.`);
}

/** The members of a union each report the type that they want: one line says it for all. */
function merged(problems: ValidationProblem[]): ValidationProblem[] {
  const lines = new Map<string, ValidationProblem>();
  for (const problem of problems) {
    const wantsType = /^Input should be (?!greater|less)/.test(problem.msg);
    const key = `${problem.loc.join('.')} ${wantsType ? '' : problem.msg}`;
    const known = lines.get(key);
    if (!known) lines.set(key, problem);
    else if (wantsType && !known.msg.includes(problem.msg.slice(16))) lines.set(key, { ...known, msg: `${known.msg} or ${problem.msg.slice(16)}` });
  }
  return [...lines.values()];
}

/** pydantic speaks of Python's types. */
function inPlainWords(text: string): string {
  return text.replace('a valid dictionary', 'an object').replace('a valid list', 'an array').replace(/\bNone\b/, 'null');
}
