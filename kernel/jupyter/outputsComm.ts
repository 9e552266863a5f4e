/**
 * The comm by which a page gets the outputs of cells that it has missed: it was
 * reloaded, or the notebook was closed. The page opens it; the kernel answers
 * with `executions`. Both sides compile against this file.
 */
export const OUTPUTS_COMM = 'joylab.outputs';

/** An output as a notebook keeps it. */
export type SavedOutput = { output_type: string } & Record<string, any>;

/** The state of an execution: `done` also when it failed, or was not run because one before it failed. */
export type ExecutionState = 'queued' | 'running' | 'done';

/** The newest execution of a cell. */
export interface CellExecution {
  /** ID of its request: the parent of its messages. */
  msgId: string;
  cellId: string;
  code: string;
  /** `null`: it has not begun, or was not run. */
  executionCount: number | null;
  state: ExecutionState;
  /** Whether the notebook's file has outputs of it. */
  partlySaved: boolean;
  /** `null`: the notebook's file has them all. */
  outputs: SavedOutput[] | null;
  /** Number of its outputs. */
  count: number;
  /** Indices of the outputs that have a display ID. */
  displays: Record<string, number[]>;
  /** Whether its outputs are removed when the next one arrives: `clear_output` with `wait`. */
  clearNext: boolean;
}

/** Kernel → page. */
export type OutputsMessage =
  | { type: 'executions'; executions: CellExecution[] }
  /** Another page has opened the comm: asks which executions this one shows. */
  | { type: 'who' }
  /** Another page, which is open, shows these executions. */
  | { type: 'elsewhere'; executions: string[] };

/** Page → kernel. */
export type OutputsPageMessage =
  /** Asks for these executions with all their outputs, whether a file has them or not. */
  | { type: 'ask'; executions: string[] }
  /** Answers `who` with the executions that this page shows. */
  | { type: 'here'; executions: string[] }
  /**
   * The file was written, with these executions as they were at `revision`:
   * that of the newest message with output which had arrived (see {@link REVISION}).
   */
  | { type: 'saved'; revision: number; executions: string[] }
  /** The notebook was closed without saving: the outputs of these executions are discarded, unless they still run. */
  | { type: 'discarded'; executions: string[] };

/** The key in the metadata of messages with output of their revision: a number that rises. */
export const REVISION = 'joylab_revision';
