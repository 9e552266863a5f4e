import type { ICodeCellModel } from '@jupyterlab/cells';
import type { IOutput } from '@jupyterlab/nbformat';
import type { KernelMessage } from '@jupyterlab/services';
import { JSONExt } from '@lumino/coreutils';
import type { CellExecution } from '../../kernel/jupyter/outputsComm';

/** Writes the outputs of an execution into the document, as the view that started it would have done. */
export class FollowedExecution {
  /** Indices of outputs by their display ID. */
  private readonly displays: Map<string, number[]>;
  private executionCount: number | null;

  private constructor(
    execution: CellExecution,
    readonly cell: ICodeCellModel,
  ) {
    this.displays = new Map(Object.entries(execution.displays));
    this.executionCount = execution.executionCount;
  }

  /**
   * Brings a cell up to date and follows its execution. Returns `null` where the cell's
   * outputs are not to be those of the execution.
   */
  static from(execution: CellExecution, cell: ICodeCellModel): FollowedExecution | null {
    const { outputs, partlySaved, code, count, state } = execution;
    // Another text has other outputs, unless it was edited while the cell ran.
    const isWanted = outputs !== null && (partlySaved || cell.sharedModel.getSource() === code);
    if (!isWanted && (cell.outputs.length !== count || cell.executionCount !== shownCount(execution))) return null;
    const followed = new FollowedExecution(execution, cell);
    if (isWanted) followed.restore(execution, outputs);
    if (state !== 'done') cell.executionState = 'running';
    return followed;
  }

  private restore(execution: CellExecution, outputs: IOutput[]): void {
    const { cell } = this;
    if (!JSONExt.deepEqual(cell.outputs.toJSON() as never, outputs as never)) {
      cell.outputs.fromJSON(outputs);
      // They come from the kernel, as those of a cell that is run here.
      cell.trusted = true;
    }
    if (execution.clearNext) cell.outputs.clear(true);
    const count = shownCount(execution);
    if (cell.executionCount !== count) cell.executionCount = count;
  }

  /** Returns whether the cell is still part of the document. */
  get isCurrent(): boolean {
    return !this.cell.isDisposed;
  }

  /** Handles a message of the execution. */
  receive(message: KernelMessage.IIOPubMessage): void {
    const type = message.header.msg_type;
    const content = message.content as Record<string, any>;
    const { outputs } = this.cell;
    if (type === 'execute_input') this.executionCount = content.execution_count;
    else if (type === 'status' && content.execution_state === 'idle') this.end();
    else if (type === 'clear_output') {
      outputs.clear(content.wait === true);
      if (!content.wait) this.displays.clear();
    } else if (OUTPUT_TYPES.has(type)) this.add(type, content, message);
    else this.updateDisplays(message);
  }

  /** Returns whether a message, which may be another cell's, updates one of the outputs. */
  shows({ header, content }: KernelMessage.IIOPubMessage): boolean {
    if (header.msg_type !== 'update_display_data' && header.msg_type !== 'display_data') return false;
    return this.displays.has(String((content as KernelMessage.IUpdateDisplayDataMsg['content']).transient?.display_id));
  }

  /** Updates the displays that a message of this or another cell updates. */
  updateDisplays(message: KernelMessage.IIOPubMessage): void {
    if (!this.shows(message)) return;
    const { transient, ...output } = message.content as KernelMessage.IUpdateDisplayDataMsg['content'];
    for (const index of this.displays.get(String(transient?.display_id)) ?? []) {
      if (index < this.cell.outputs.length) this.cell.outputs.set(index, { ...output, output_type: 'display_data' });
    }
  }

  /** Marks the cell as idle: the kernel is gone, and nothing more comes. */
  lost(): void {
    if (!this.cell.isDisposed && this.cell.executionState === 'running') this.cell.executionState = 'idle';
  }

  private add(type: string, { transient, ...output }: Record<string, any>, message: KernelMessage.IIOPubMessage): void {
    const { outputs } = this.cell;
    if ((outputs as unknown as { clearNext: boolean }).clearNext) this.displays.clear();
    this.updateDisplays(message);
    outputs.add({ ...output, output_type: type } as IOutput);
    if (transient?.display_id === undefined) return;
    const id = String(transient.display_id);
    this.displays.set(id, [...(this.displays.get(id) ?? []), outputs.length - 1]);
  }

  private end(): void {
    this.cell.executionCount = this.executionCount;
    this.cell.executionState = 'idle';
  }
}

/** Returns the execution count that a cell shows: none until its execution has ended. */
function shownCount({ state, executionCount }: CellExecution): number | null {
  return state === 'done' ? executionCount : null;
}

/** Types of messages that add an output. */
const OUTPUT_TYPES = new Set(['stream', 'display_data', 'execute_result', 'error']);
