/** Input and output of a sandbox: plain data, without the engine. */
import { BIGINT_MARK } from './driver';
import { defaultsOf } from '../common/settings';
import { NestingError, parseJson } from '../common/nesting';
import type { RandomState } from './secret';
import { sandboxSettings } from './settings';

/** A strategy as JavaScript. */
export interface Program {
  javascript: string;
  /** Line of the source for each line of the JavaScript (both from 1, entry 0 unused). Left out where they are the same. */
  lines?: number[];
}

/** The limits of a sandbox: bytes of memory, seconds of processor time of a call. */
export interface SandboxLimits {
  memoryLimit: number;
  callTimeLimit: number;
  /** State that `Math.random` starts from. */
  randomState: RandomState;
}

export const DEFAULT_LIMITS: SandboxLimits = { ...defaultsOf(sandboxSettings), randomState: [0, 0, 0, 0] };

/** The failure of a call. */
export interface Failure {
  reason: 'timeout' | 'memory' | 'error';
  message: string;
  /** Line in the strategy's source, from 1. */
  line?: number;
}

/**
 * The outcome of a call. `other` describes a value that cannot leave the sandbox, such
 * as a function; the `description` of JSON, a value that JSON changed.
 */
export type Outcome =
  | { kind: 'number'; value: number }
  | { kind: 'json'; value: unknown; description?: string }
  | { kind: 'undefined' }
  | { kind: 'other'; description: string }
  | { kind: 'failure'; failure: Failure };

/** Returns the outcome of a call that failed. */
export function failed(
  reason: Failure['reason'],
  message: string,
  line?: number,
): Extract<Outcome, { kind: 'failure' }> {
  return { kind: 'failure', failure: line === undefined ? { reason, message } : { reason, message, line } };
}

/** The message to a strategy that returned what is nested too deeply. */
export const nestingMessage = new NestingError('What it returned').message;

/**
 * Returns the outcome for a value in JSON. A number is a number, also where it was an
 * object (`new Number(1)`); a value that is nested too deeply is a failure.
 */
export function jsonOutcome(json: string): Outcome {
  try {
    const value = json.includes(BIGINT_MARK) ? withBigints(parseJson(json, '')) : parseJson(json, '');
    return typeof value === 'number' ? { kind: 'number', value } : { kind: 'json', value };
  } catch (error) {
    if (!(error instanceof NestingError)) throw error;
    return failed('error', nestingMessage);
  }
}

/** Returns a value with marked digits as bigints. */
function withBigints(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, part) => {
    const digits = typeof part === 'string' && part.startsWith(BIGINT_MARK) ? part.slice(BIGINT_MARK.length) : '';
    return /^-?\d{1,4300}$/.test(digits) ? BigInt(digits) : part;
  });
}

/** Options of worker threads with sandboxes. Recursion inside WebAssembly takes many times the stack that QuickJS counts. */
export const SANDBOX_THREAD = { resourceLimits: { stackSizeMb: 32 }, env: {}, stdin: false } as const;

/**
 * Cells that a locked-down function shares with its thread: 1 when an answer is there,
 * the thread's ID, 1 when its first engine is ready.
 */
export const ANSWER = { there: 0, thread: 1, ready: 2, length: 3 };

/** Returns the message for a strategy that took too long for one answer. */
export function timeoutMessage({ callTimeLimit }: Pick<SandboxLimits, 'callTimeLimit'>): string {
  return `one call took more than ${callTimeLimit} s (callTimeLimit)`;
}
