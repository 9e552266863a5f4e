import type { Child, ChildResult } from './children';
import type { Comm, DisplayOptions, MimeBundle } from '../display/cellContext';

/** Takes the output of one cell. */
export interface CellOutput {
  stream(name: 'stdout' | 'stderr', text: string): void;
  /** Publishes `display_data`, or `update_display_data`. */
  display(bundle: MimeBundle, options?: DisplayOptions): void;
  /** Takes the display with an ID away, or empties it where the protocol has no way for that. */
  withdraw(displayId: string): void;
  /** Publishes the value of the cell's last expression. */
  result(bundle: MimeBundle, metadata?: Record<string, unknown>): void;
  /** Removes the cell's outputs; with `wait`, when the next output arrives. */
  clear(wait: boolean): void;
  /** Shows a bundle in the front end's pager once the cell has ended. */
  page(bundle: MimeBundle): void;
  /** Runs a child process and blocks until it has ended; what it writes to streams that are shown goes to the cell at once. */
  runChild(child: Child): ChildResult;
  /** Lets cells run beside this one, or no longer: those for which {@link Interpreter.runsBeside} is true. */
  admit(on: boolean): void;
  /** Asks the user for a line of text and blocks until it arrives; `null`: interrupted. Throws when the front end cannot ask. */
  input(prompt: string, password: boolean): string | null;
  /** Asks the user for a line of text without blocking. The question is withdrawn when the signal is aborted. */
  line(prompt: string, signal: AbortSignal): Promise<string | null>;
}

/** An exception as Jupyter shows it. `traceback` is lines of text with ANSI colours. */
export interface CellError {
  ename: string;
  evalue: string;
  traceback: string[];
}

/** A cell to run. */
export interface CellRequest {
  code: string;
  /** Number of the cell, as in `In [3]`. */
  executionCount: number;
  silent: boolean;
  output: CellOutput;
  /** The cell's ID in its notebook, when the front end sends it. */
  cellId?: string;
  /** IDs of cells that were deleted since the last request. */
  deletedCells?: string[];
  /** Whether another cell runs, which goes on. */
  beside?: boolean;
}

/** What may replace the code from `start` to `end`, which are UTF-16 offsets. */
export interface Completion {
  matches: string[];
  start: number;
  end: number;
  /** The kinds that JupyterLab shows beside the matches: entry i belongs to match i. */
  types?: string[];
}

/** Whether code is complete, as in `is_complete_reply`; `indent`: the text that the next line begins with. */
export type Completeness = { status: 'complete' | 'invalid' | 'unknown' } | { status: 'incomplete'; indent: string };

/** Opens comms for the interpreter, and takes its handlers for those that the front end opens. */
export interface CommOpener {
  /** Opens a comm from the kernel's side and returns it. `metadata` is the message's. */
  open(target: string, data?: object, buffers?: Uint8Array[], metadata?: object): Comm;
  registerTarget(target: string, onOpen: (comm: Comm, data: any, buffers: Uint8Array[]) => void): void;
}

/** Runs cells. The kernel calls it on the main thread, one `execute` at a time, and one beside that. */
export interface Interpreter {
  /** Runs a cell. Resolves with `null`, or with the error that ended it; never rejects. */
  execute(request: CellRequest): Promise<CellError | null>;
  /** Evaluates one of `user_expressions` after a cell; resolves with its value as a MIME bundle, or with its error. */
  evaluate(expression: string, output: CellOutput): Promise<MimeBundle | CellError>;
  /** Returns what can complete the code at a UTF-16 offset; `null`: nothing. */
  complete(code: string, position: number): Completion | null;
  /** Returns the documentation of what is at a UTF-16 offset; `null`: nothing is known. */
  inspect(code: string, position: number, detail: 0 | 1): MimeBundle | null;
  isComplete(code: string): Completeness;
  /** Returns whether a cell may run beside one that admits it (see {@link CellOutput.admit}). */
  runsBeside(code: string): boolean;
  /** Stops the running cell, if there is one; where one runs beside it, that one alone. */
  interrupt(): void;
  /** Runs `handler`; what it prints goes to `output`. */
  within(output: CellOutput, handler: () => void): void;
  close(): void;
}
