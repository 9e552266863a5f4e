import type { Child, ChildResult } from './children';
import type { Comm, DisplayOptions, MimeBundle } from '../display/host';

/** Takes the output of one cell. */
export interface CellOutput {
  stream(name: 'stdout' | 'stderr', text: string): void;
  /** Publishes `display_data`, or `update_display_data`. */
  display(bundle: MimeBundle, options?: DisplayOptions): void;
  /** Publishes the value of the cell's last expression. */
  result(bundle: MimeBundle, metadata?: Record<string, unknown>): void;
  /** Removes the cell's outputs; with `wait`, when the next output arrives. */
  clear(wait: boolean): void;
  /** Shows a bundle in the front end's pager when the cell has ended. */
  page(bundle: MimeBundle): void;
  /** Runs a child process and waits for its end; what it writes to streams that are shown goes to the cell at once. */
  runChild(child: Child): ChildResult;
  /** Asks the user for a line of text; `null`: interrupted. Throws where the front end cannot ask. */
  input(prompt: string, password: boolean): string | null;
  /** The same without waiting: the thread goes on. Where the signal is aborted, the answer is not wanted any more. */
  line(prompt: string, signal: AbortSignal): Promise<string | null>;
}

/** An exception as Jupyter shows it. `traceback` is text with ANSI colours, ready to be printed. */
export interface CellError {
  ename: string;
  evalue: string;
  traceback: string[];
}

export interface CellRequest {
  code: string;
  /** Number of the cell, as in `In [3]`. */
  executionCount: number;
  silent: boolean;
  output: CellOutput;
  /** The cell's own ID in its notebook, where the front end sends it. */
  cellId?: string;
  /** IDs of cells that were deleted since the last request. */
  deletedCells?: string[];
}

/** Positions are UTF-16 offsets into the code. */
export interface Completion {
  matches: string[];
  start: number;
  end: number;
  /** The kinds that JupyterLab shows beside the matches: entry i belongs to match i. */
  types?: string[];
}

export type Completeness = { status: 'complete' | 'invalid' | 'unknown' } | { status: 'incomplete'; indent: string };

/** Opens comms; the registry is the protocol's, the handlers are the interpreter's. */
export interface CommOpener {
  /** Opens a comm from the kernel's side. */
  open(target: string, data?: object, buffers?: Uint8Array[]): Comm;
  registerTarget(target: string, onOpen: (comm: Comm, data: any, buffers: Uint8Array[]) => void): void;
}

/** Runs cells. The protocol side calls it on the main thread, one `execute` at a time. */
export interface Interpreter {
  /** Runs a cell. Resolves with `null`, or with the error that ended it; never rejects. */
  execute(request: CellRequest): Promise<CellError | null>;
  /** Evaluates one of `user_expressions` after a cell. */
  evaluate(expression: string, output: CellOutput): Promise<MimeBundle | CellError>;
  /** `null`: nothing to offer. */
  complete(code: string, position: number): Completion | null;
  /** `null`: nothing known at this position. */
  inspect(code: string, position: number, detail: 0 | 1): MimeBundle | null;
  isComplete(code: string): Completeness;
  /** Stops the running cell, if there is one. */
  interrupt(): void;
  /** Runs `handler` so that its output goes to `output`. */
  within(output: CellOutput, handler: () => void): void;
  close(): void;
}
