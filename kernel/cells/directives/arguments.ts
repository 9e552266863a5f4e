import { isNear, nearestFirst } from '../../common/names';
import type { Arguments, Directive, Parameter } from './directive';

/** An error in a directive's text. */
export interface ArgumentProblem {
  message: string;
  /** Its offset in the text, and its length, in characters. */
  start: number;
  length: number;
}

const WORD = /(\S*?)=("[^"]*"|'[^']*'|\S*)|(\S+)/g;

/** Returns the arguments of `name=value name=value`. Throws an {@link ArgumentProblem}, with the valid ones, when one is not valid. */
export function readArguments(directive: Directive, text: string): Arguments {
  const args: Arguments = {};
  for (const match of text.matchAll(WORD)) {
    const name = match[1] ?? match[3];
    const fail = (message: string): never => {
      throw { message, start: match.index, length: match[0].length } satisfies ArgumentProblem;
    };
    const parameter = directive.parameters.find((it) => it.name === name);
    const renamed = directive.parameters.find(({ was }) => was === name);
    if (renamed) return fail(`@${directive.name} ${name} is now ${renamed.name}: ${example(renamed)}.`);
    if (!parameter)
      return fail(
        `@${directive.name} has no argument "${name}". ${validArguments(directive)}${meant(
          name,
          directive.parameters.map((it) => it.name),
        )}`,
      );
    if (match[3] !== undefined && parameter.type !== 'boolean')
      return fail(`@${directive.name} ${name} needs a value: ${example(parameter)}.`);
    args[name] = match[3] !== undefined ? true : readValue(parameter, match[2].replace(/^(["'])(.*)\1$/, '$2'), fail);
  }
  return args;
}

function readValue(parameter: Parameter, text: string, fail: (message: string) => never): number | boolean | string {
  if (parameter.type === 'number') {
    const value = text === '' ? NaN : Number(text);
    return Number.isFinite(value)
      ? value
      : fail(`${parameter.name}=${text} is not a number. Write ${example(parameter)}.`);
  }
  if (parameter.type === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true';
    return fail(`${parameter.name}=${text} is neither true nor false.${meant(text, ['true', 'false'])}`);
  }
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text)
    ? text
    : fail(`${parameter.name}=${text} does not name a variable. Write ${example(parameter)}.`);
}

/** Returns a question with the name that was meant, if one is similar; else an empty text. */
export function meant(name: string, valid: readonly string[]): string {
  const [nearest] = nearestFirst(name, valid);
  return nearest !== undefined && isNear(name, nearest) ? ` Did you mean ${nearest}?` : '';
}

function example({ name, type }: Parameter): string {
  return `${name}=${{ number: '2', boolean: 'true', variable: name }[type]}`;
}

function validArguments({ parameters }: Directive): string {
  return `Valid: ${parameters.map((parameter) => `${parameter.name} (${parameter.type})`).join(', ')}.`;
}
