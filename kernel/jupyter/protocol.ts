import type { Child, ChildReturn } from './children';
import type { ConnectionInfo } from './connection';
import type { Header } from './message';

/**
 * The messages between the wire thread, which owns the sockets, and the main
 * thread, which computes. The wire thread stays responsive while user code
 * runs: it answers heartbeats and control messages and publishes output.
 */

/** What the wire thread is started with. */
export interface WireOptions {
  connection: ConnectionInfo;
  /** The connection file, which is written again with the ports that the system chose. */
  connectionFile: string;
  /** The file that keeps inputs for later kernels; empty: none. */
  historyFile: string;
  /** Content of `kernel_info_reply`: the wire thread answers that request by itself. */
  kernelInfo: Record<string, unknown>;
  /** See interrupt/flag.ts. */
  interruptFlag: Int32Array;
  /** Printed text; see textRing.ts. */
  textRing: SharedArrayBuffer;
}

/** Types of comm messages. */
export const COMM_MESSAGES: Record<string, true | undefined> = {
  __proto__: null as never,
  comm_open: true,
  comm_msg: true,
  comm_close: true,
};

/** The error when the kernel cannot even describe the error. */
const BROKEN = {
  ename: 'KernelError',
  evalue: 'A cell has replaced something that the kernel needs to run cells. Restart the kernel.',
};

/** The content of a reply, and of an `error` message, with it. */
export const BROKEN_REPLY = JSON.stringify({
  status: 'error',
  ...BROKEN,
  traceback: [`${BROKEN.ename}: ${BROKEN.evalue}`],
});

/** A message as it is posted to the wire thread. */
export interface Posted {
  message: ToWire;
  /** Text in the ring up to this position comes before the message; see textRing.ts. */
  position: number;
}

/** Wire thread → main thread. */
export type ToMain =
  /** `executionCount`: the number of the newest cell; in an `execute_request`, that of the cell itself. */
  | {
      type: 'request';
      id: number;
      header: Header;
      metadata: Record<string, unknown>;
      content: Record<string, any>;
      buffers: Uint8Array[];
      executionCount: number;
      /** Whether it runs beside another execution. */
      beside: boolean;
    }
  /** Asks whether the queued cell of this number may run beside the one that runs; only yes is answered, with `admitted`. */
  | { type: 'admit'; id: number; code: string }
  | { type: 'interrupt' }
  /** The answer of the front end to `input` of this number; `null`: there will be none. */
  | { type: 'answer'; input: number; text: string | null }
  | { type: 'shutdown' }
  | { type: 'fatal'; message: string };

/** Main thread → wire thread. */
export type ToWire =
  /** Ends a request. `content` is the reply's, as JSON; `null` when the request has no reply (comm messages). */
  | { type: 'reply'; id: number; content: string | null; metadata?: string; status: string }
  | {
      type: 'publish';
      message: string;
      content: string;
      metadata?: string;
      parent: Header | null;
      buffers?: Uint8Array[];
    }
  /** Names the stream that text in the ring belongs to from here on, with text that did not fit in the ring. */
  | { type: 'stream'; name: 'stdout' | 'stderr'; text: string; parent: Header }
  /** There is text in the ring. */
  | { type: 'text' }
  /** Asks the front end of request `id` for a line. The answer goes into `answer` when the main thread blocks for it (see input.ts); else it is posted, with the number `input`. */
  | { type: 'input'; id: number; prompt: string; password: boolean; answer: SharedArrayBuffer | null; input: number }
  /** Withdraws a question: its answer is no longer needed. */
  | { type: 'withdraw'; input: number }
  /** Says whether execution `id` lets cells run beside it; those that may are asked for with `admit`. */
  | { type: 'admits'; id: number; on: boolean }
  /** Runs the queued cell of this number beside the one that runs. */
  | { type: 'admitted'; id: number }
  /** Runs a child process for which the main thread waits; see wire/childRunner.ts. */
  | { type: 'child'; child: Child; back: ChildReturn; parent: Header }
  /** Closes the sockets and ends the thread; `closed` is set to 1 when that is done. */
  | { type: 'close'; closed: Int32Array };
