/** What goes into a sandbox and what comes out of it: plain data, without the engine. */

/** A strategy as JavaScript. */
export interface Program {
  javascript: string;
  /** Line of the source for each line of the JavaScript (both from 1, entry 0 unused). Absent when they are the same. */
  lines?: number[];
}

/** What a sandbox allows. */
export interface SandboxLimits {
  /** Bytes that the strategy's data may take. */
  memoryLimit: number;
  /** Seconds that one call may take, of processor time. */
  callTimeLimit: number;
  /** Seed of `Math.random`. */
  seed: number;
}

export const DEFAULT_LIMITS: SandboxLimits = { memoryLimit: 16 * 2 ** 20, callTimeLimit: 0.1, seed: 0 };

/** How a call failed. */
export interface Failure {
  reason: 'timeout' | 'memory' | 'error';
  message: string;
  /** Line in the strategy's source, from 1. */
  line?: number;
}

/** What a call came to. `other` describes a value that cannot leave the sandbox, such as a function. */
export type Outcome =
  | { kind: 'number'; value: number }
  | { kind: 'json'; value: unknown }
  | { kind: 'undefined' }
  | { kind: 'other'; description: string }
  | { kind: 'failure'; failure: Failure };

/** Options of the worker threads that sandboxes run in. Recursion inside WebAssembly takes many times the stack that QuickJS counts. */
export const SANDBOX_THREAD = { resourceLimits: { stackSizeMb: 32 }, env: {}, stdin: false } as const;

/** Cells that a locked-down function shares with its thread: 1 when an answer is there, and the thread's ID. */
export const ANSWER = { there: 0, thread: 1, length: 2 };

/** What a strategy is told that took too long for one answer. */
export function timeoutMessage(seconds: number): string {
  return `one call took more than ${seconds} s`;
}
