import type { SpawnOptions } from 'node:child_process';
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';

/*
 * Child processes that the main thread waits for (`execSync` and its like).
 * The wire thread runs them (wire/childRunner.ts), so that their output shows
 * while they run, and an interrupt reaches them.
 */

/** A child process to run. */
export interface Child {
  file: string;
  args: string[];
  options: SpawnOptions;
  /** Its standard input. */
  input?: Uint8Array;
  /** For each of its streams: the stream of the cell that shows it; `null` when its bytes are returned. */
  shown: Array<StreamName | null>;
  /** Bytes of a stream that are returned; a child that writes more is ended. */
  maxBuffer: number;
  /** Milliseconds after which it is ended; 0: never. */
  timeout: number;
}

export type StreamName = 'stdout' | 'stderr';

/** The result of a child process. */
export interface ChildResult {
  pid: number;
  status: number | null;
  signal: NodeJS.Signals | null;
  /** By stream; `null` for a stream that is not returned. */
  output: Array<Uint8Array | null>;
  error?: ChildError;
}

/** An error as it travels between threads: its message and its properties. */
export interface ChildError {
  message: string;
  code?: string;
  errno?: number;
  path?: string;
  spawnargs?: string[];
}

/** The way of the result back: `done[0]` becomes 1 when it has been posted. */
export interface ChildReturn {
  port: MessagePort;
  done: Int32Array;
}

/** Main thread: blocks until the child has ended, and returns its result. */
export function awaitChild({ port, done }: ChildReturn): ChildResult {
  Atomics.wait(done, 0, 0);
  return (receiveMessageOnPort(port) as { message: ChildResult }).message;
}
