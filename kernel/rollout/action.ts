import { types } from 'node:util';
import { stringifyExact } from '../common/exactJson';
import { checkNesting, NestingError } from '../common/nesting';
import { jsonValue } from '../schema/jsonValue';
import { MAX_TEXT } from '../strategy/driver';
import { failed, jsonOutcome, nestingMessage, type Outcome } from '../strategy/outcome';
import type { EpisodeEnd } from './episode';

/** The action that an answer of a strategy means: an index into `names`, or how the episode ends because it means none. */
export function chosenAction(outcome: Outcome, names: readonly string[]): number | EpisodeEnd {
  if (outcome.kind === 'failure') return outcome.failure;
  if (outcome.kind === 'json') {
    const { value } = outcome;
    if (typeof value === 'string' && names.includes(value)) return names.indexOf(value);
  }
  if (outcome.kind === 'number' && Number.isInteger(outcome.value) && outcome.value >= 0 && outcome.value < names.length) return outcome.value;
  return { reason: 'invalid_action', message: `the strategy returned ${describe(outcome)}. Valid: ${valid(names)}.` };
}

function valid(names: readonly string[]): string {
  return `${names.map((name) => `"${name}"`).join(', ')}, or an index from 0 to ${names.length - 1}`;
}

/** What a strategy returned, in words. */
export function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'number': return String(outcome.value);
    case 'json': return outcome.description ?? short(stringifyExact(outcome.value));
    case 'other': return outcome.description;
    default: return 'nothing (undefined)';
  }
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** What a function of this process returned, as a sandbox would tell it. Touches no more of an object than JSON does. */
export function outcomeOf(value: unknown): Outcome {
  switch (typeof value) {
    case 'number': return { kind: 'number', value: value + 0 };
    case 'undefined': return { kind: 'undefined' };
    case 'string':
    case 'boolean': return { kind: 'json', value };
    case 'object': return laterAnswer(value) ?? copied(value);
    default: return { kind: 'other', description: `a ${typeof value}` };
  }
}

/** What answers later: a promise, or what a generator gives. */
function laterAnswer(value: object | null): Outcome | undefined {
  const other = (description: string): Outcome => ({ kind: 'other', description });
  try {
    if (typeof (value as { then?: unknown } | null)?.then === 'function') return other('a promise: a strategy must not be async, it answers at once');
  } catch {} // a getter: an object like others
  return types.isGeneratorObject(value) ? other('a generator: a strategy must not be a function*, it answers at once') : undefined;
}

function copied(value: object | null): Outcome {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    return isTooDeep(value) ? failed('error', nestingMessage) : (withBigints(value) ?? { kind: 'other', description: 'an object that is no JSON' });
  }
  if (json === undefined) return { kind: 'undefined' };
  return json.length > MAX_TEXT ? { kind: 'other', description: `a value of more than ${MAX_TEXT} characters` } : jsonOutcome(json);
}

/** The answer, where it is bigints alone that JSON's own writer does not take. */
function withBigints(value: object | null): Outcome | undefined {
  try {
    return { kind: 'json', value: jsonValue(value, 'What it returned') };
  } catch {
    return undefined;
  }
}

function isTooDeep(value: unknown): boolean {
  try {
    checkNesting(value, '');
    return false;
  } catch (error) {
    return error instanceof NestingError;
  }
}
