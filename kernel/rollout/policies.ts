import { inspect, types } from 'node:util';
import { markedText } from '../common/exactJson';
import { checkNesting, NestingError } from '../common/nesting';
import { Stopwatch } from '../common/threads/processorTime';
import type { Observation } from '../environments/vectorEnv';
import { jsonValue } from '../schema/jsonValue';
import { MAX_TEXT } from '../strategy/driver';
import type { LockedDownFunction } from '../strategy/locked';
import { failed, jsonOutcome, nestingMessage, timeoutMessage, type Failure, type Outcome } from '../strategy/outcome';
import type { Sandbox } from '../strategy/sandbox';

/** A policy: chooses an action for each observation of an episode. */
export interface Policy {
  /** Returns its answer, and the processor seconds that it took. Never throws. */
  choose(observation: Observation): { outcome: Outcome; seconds: number };
  dispose(): void;
}

/** Returns a policy that fails at its first call. */
export function failingPolicy(failure: Failure): Policy {
  return { choose: () => ({ outcome: { kind: 'failure', failure }, seconds: 0 }), dispose() {} };
}

/** Returns a policy that makes recorded choices, one after another. */
export function recordedPolicy(choices: readonly unknown[]): Policy {
  let step = 0;
  return { choose: () => ({ outcome: outcomeOf(choices[step++]), seconds: 0 }), dispose() {} };
}

/**
 * Returns the policy of a strategy in a sandbox of this thread.
 *
 * @param marked runs each entry into the sandbox
 */
export function sandboxPolicy(sandbox: Sandbox, code: string, marked: (run: () => Outcome) => Outcome): Policy {
  const reads = readArrays(code);
  return {
    choose({ state, arrays }) {
      const before = sandbox.ownTime;
      const outcome = marked(() =>
        arrays ? sandbox.callWith(state, reads(arrays)) : sandbox.call(markedText([state])),
      );
      return { outcome, seconds: sandbox.ownTime - before };
    },
    dispose: () => sandbox.dispose(),
  };
}

/** Returns the policy of a strategy in a sandbox of a thread of its own. */
export function lockedPolicy(locked: LockedDownFunction, dispose = (): void => {}): Policy {
  const reads = readArrays(locked.code);
  return { choose: ({ state, arrays }) => locked.attempt([withArrays(state, arrays && reads(arrays))]), dispose };
}

/**
 * Returns the policy of a function of this process. That it takes more than
 * `callTimeLimit` seconds is only found after the call.
 */
export function functionPolicy(strategy: (state: any) => unknown, callTimeLimit: number): Policy {
  return {
    choose({ state, arrays }) {
      const seen = arrays ? withArrays(state, arrays) : structuredClone(state);
      const stopwatch = new Stopwatch();
      stopwatch.start();
      let outcome: Outcome;
      try {
        outcome = outcomeOf(strategy(seen));
      } catch (error) {
        outcome = failed('error', error instanceof Error ? `${error.name}: ${error.message}` : inspect(error));
      }
      const seconds = stopwatch.elapsed / 1000;
      if (seconds > callTimeLimit) outcome = failed('timeout', timeoutMessage({ callTimeLimit }));
      return { outcome, seconds };
    },
    dispose() {},
  };
}

type Arrays = NonNullable<Observation['arrays']>;

/** Returns a filter of byte arrays that keeps those which a program names: copying the others would only cost time. */
function readArrays(code: string): (arrays: Arrays) => Arrays {
  const mentioned = new Map<string, boolean>();
  const reads = (name: string): boolean => {
    if (!mentioned.has(name)) mentioned.set(name, new RegExp(`\\b${name}\\b`).test(code));
    return mentioned.get(name)!;
  };
  return (arrays) => {
    const read: Record<string, Uint8Array> = {};
    for (const name in arrays) if (reads(name)) read[name] = arrays[name];
    return read;
  };
}

/** Returns a state with its byte arrays as arrays of numbers. */
function withArrays(state: object, arrays: Arrays = {}): object {
  return { ...state, ...Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [name, Array.from(bytes)])) };
}

/** Returns what a function of this process returned as a sandbox reports it. Reads no more of an object than JSON does. */
function outcomeOf(value: unknown): Outcome {
  switch (typeof value) {
    case 'number':
      return { kind: 'number', value: value + 0 };
    case 'undefined':
      return { kind: 'undefined' };
    case 'string':
    case 'boolean':
      return { kind: 'json', value };
    case 'object':
      return laterAnswer(value) ?? copied(value);
    default:
      return { kind: 'other', description: `a ${typeof value}` };
  }
}

/** Returns the outcome of a value that answers later, a promise or a generator; `undefined` for others. */
function laterAnswer(value: object | null): Outcome | undefined {
  const other = (description: string): Outcome => ({ kind: 'other', description });
  try {
    if (typeof (value as { then?: unknown } | null)?.then === 'function')
      return other('a promise: a strategy must not be async, it answers at once');
  } catch {} // a getter: an object like others
  return types.isGeneratorObject(value)
    ? other('a generator: a strategy must not be a function*, it answers at once')
    : undefined;
}

function copied(value: object | null): Outcome {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    return isTooDeep(value)
      ? failed('error', nestingMessage)
      : (withBigints(value) ?? { kind: 'other', description: 'an object that is no JSON' });
  }
  if (json === undefined) return { kind: 'undefined' };
  return json.length > MAX_TEXT
    ? { kind: 'other', description: `a value of more than ${MAX_TEXT} characters` }
    : jsonOutcome(json);
}

/** Returns the outcome of a value that JSON.stringify refuses only for its bigints; `undefined` for others. */
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
