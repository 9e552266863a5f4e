import { jsonOutcome, type Outcome } from '../strategy/outcome';
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
    case 'json': return short(JSON.stringify(outcome.value));
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
    case 'object': return isThenable(value) ? { kind: 'other', description: 'a promise: a strategy must not be async, it answers at once' } : copied(value);
    default: return { kind: 'other', description: `a ${typeof value}` };
  }
}

function isThenable(value: object | null): boolean {
  try {
    return typeof (value as { then?: unknown } | null)?.then === 'function';
  } catch {
    return false;
  }
}

function copied(value: object | null): Outcome {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    return { kind: 'other', description: 'an object that is no JSON' };
  }
  return json === undefined ? { kind: 'undefined' } : jsonOutcome(json);
}
