/**
 * The comm by which a page gets what cells have put out while it was not
 * there: it was reloaded, or the notebook was closed. The page opens it; the
 * kernel answers with `executions`. Both sides compile against this file.
 */
export const OUTPUTS_COMM = 'joylab.outputs';

/** An output as a notebook keeps it. */
export type SavedOutput = { output_type: string } & Record<string, any>;

/** The state of an execution: `done` also where it failed, or was not run because one before it did. */
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
  /** True where a file has a part of it. */
  partlySaved: boolean;
  /** `null`: the notebook's file has them all. */
  outputs: SavedOutput[] | null;
  /** Number of its outputs. */
  count: number;
  /** Indices of the outputs that have a display ID. */
  displays: Record<string, number[]>;
  /** Its outputs are removed when the next one arrives. */
  clearNext: boolean;
}

/** Kernel → page. */
export type OutputsMessage =
  | { type: 'executions'; executions: CellExecution[] }
  /** Another page has come: which executions are in the care of this one? */
  | { type: 'who' }
  /** These executions are in the care of another page, which is open. */
  | { type: 'elsewhere'; executions: string[] };

/** Page → kernel. */
export type OutputsPageMessage =
  /** Asks again for some executions, whether a file has them or not. */
  | { type: 'ask'; executions: string[] }
  /** Answers `who`. */
  | { type: 'here'; executions: string[] }
  /**
   * The file was written, with these executions as they were at `revision`:
   * that of the newest message with output which had arrived (see {@link REVISION}).
   */
  | { type: 'saved'; revision: number; executions: string[] }
  /** The notebook was closed: what these executions have put out and no file has is not wanted, unless they still run. */
  | { type: 'discarded'; executions: string[] };

/** Under this name the metadata of messages with output carry a number that rises. */
export const REVISION = 'joylab_revision';
