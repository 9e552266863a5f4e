import type { Header, Message, OutgoingMessage } from '../message';
import { REVISION, type CellExecution, type ExecutionState, type SavedOutput } from '../outputsComm';

/** Characters of output that are kept of one execution, and of all, at most. */
const EXECUTION_LIMIT = 1 << 25;
const TOTAL_LIMIT = 1 << 27;

const CUT = `\nThis cell has put out more than the kernel keeps for a page that was not there: what followed is missing here.\n`;

/** An output, with its size in characters of JSON. */
interface Kept {
  output: SavedOutput;
  size: number;
  displayId?: string;
}

/** The newest execution of a cell, with its outputs. */
interface Execution {
  msgId: string;
  cellId: string;
  code: string;
  executionCount: number | null;
  state: ExecutionState;
  outputs: Kept[];
  clearNext: boolean;
  /** Characters of its outputs. */
  size: number;
  isCut: boolean;
  /** The revision of its last change, and the one that the notebook's file has; 0: none. */
  changed: number;
  saved: number;
}

/**
 * The outputs of a notebook's cells, for pages that have missed them: front
 * ends show the outputs only of what they run themselves. The newest execution
 * of each cell is kept, as long as the kernel lives.
 */
export class CellOutputs {
  private readonly byMessage = new Map<string, Execution>();
  private readonly byCell = new Map<string, Execution>();
  private revision = 0;
  private total = 0;

  /** Begins to keep the outputs of an `execute_request` that names its cell; ignores other requests. */
  expect({
    header: { msg_id: msgId, msg_type: type },
    metadata: { cellId },
    content: { code, silent },
  }: Message): void {
    if (type !== 'execute_request' || typeof cellId !== 'string' || silent === true) return;
    this.forget(this.byCell.get(cellId));
    const execution: Execution = {
      msgId,
      cellId,
      code: typeof code === 'string' ? code : '',
      executionCount: null,
      state: 'queued',
      outputs: [],
      clearNext: false,
      size: 0,
      isCut: false,
      changed: ++this.revision,
      saved: 0,
    };
    this.byMessage.set(msgId, execution);
    this.byCell.set(cellId, execution);
  }

  begin(msgId: string, executionCount: number): void {
    this.change(msgId, (execution) => Object.assign(execution, { state: 'running', executionCount }));
  }

  end(msgId: string): void {
    this.change(msgId, (execution) => Object.assign(execution, { state: 'done' }));
  }

  /** Keeps a message that is about to be published, and returns it, with a revision when it changes an output. */
  kept(message: OutgoingMessage): OutgoingMessage {
    const revision = this.take(message.type, message.content, message.parent);
    return revision === undefined ? message : { ...message, metadata: JSON.stringify({ [REVISION]: revision }) };
  }

  private take(type: string, content: string, parent: Header | null): number | undefined {
    if (!OUTPUT_TYPES.has(type)) return undefined;
    const message = JSON.parse(content) as Record<string, any>;
    const displayId: string | undefined = message.transient?.display_id;
    // As in front ends, a new display also updates those that had its ID before.
    if (displayId !== undefined) this.update(displayId, message, content.length);
    const execution = type === 'update_display_data' ? undefined : this.byMessage.get(parent?.msg_id ?? '');
    if (execution) this.add(execution, type, message, content.length, displayId);
    return this.revision;
  }

  /** Returns the newest execution of each cell, with its outputs unless a file has them; or those with the IDs `wanted`, with their outputs. */
  list(wanted?: readonly string[]): CellExecution[] {
    const executions = wanted ? wanted.flatMap((id) => this.byMessage.get(id) ?? []) : [...this.byCell.values()];
    return executions.map((execution) => describe(execution, wanted !== undefined));
  }

  /** Notes that a file has these executions as they were at `revision`. */
  saved(executions: readonly string[], revision: number): void {
    for (const id of executions) {
      const execution = this.byMessage.get(id);
      if (execution) execution.saved = Math.max(execution.saved, Math.min(revision, this.revision));
    }
  }

  /** Treats the outputs of these executions as saved, if they have ended. */
  discarded(executions: readonly string[]): void {
    this.saved(
      executions.filter((id) => this.byMessage.get(id)?.state === 'done'),
      this.revision,
    );
  }

  private add(
    execution: Execution,
    type: string,
    message: Record<string, any>,
    size: number,
    displayId?: string,
  ): void {
    execution.changed = ++this.revision;
    if (type === 'clear_output') {
      if (message.wait) execution.clearNext = true;
      else this.clear(execution);
      return;
    }
    if (execution.clearNext) this.clear(execution);
    if (execution.isCut) return;
    execution.isCut = execution.size + size > EXECUTION_LIMIT;
    const kept = execution.isCut
      ? { output: { output_type: 'stream', name: 'stderr', text: CUT }, size: CUT.length }
      : { output: savedOutput(type, message), size, displayId };
    append(execution, kept);
    this.grow(execution, kept.size);
    this.makeRoom();
  }

  /** Replaces all outputs with this display ID, in any cell. */
  private update(displayId: string, { data, metadata }: Record<string, any>, size: number): void {
    for (const execution of this.byMessage.values()) {
      for (const kept of execution.outputs) {
        if (kept.displayId !== displayId) continue;
        execution.changed = ++this.revision;
        this.grow(execution, size - kept.size);
        Object.assign(kept, { size, output: { output_type: 'display_data', data, metadata } });
      }
    }
  }

  private change(msgId: string, how: (execution: Execution) => void): void {
    const execution = this.byMessage.get(msgId);
    if (!execution) return;
    execution.changed = ++this.revision;
    how(execution);
  }

  private clear(execution: Execution): void {
    this.grow(execution, -execution.size);
    Object.assign(execution, { outputs: [], clearNext: false, isCut: false });
  }

  private grow(execution: Execution, by: number): void {
    execution.size += by;
    this.total += by;
  }

  /** Forgets executions that have ended, the oldest first, until the rest is within the limit. */
  private makeRoom(): void {
    for (const execution of this.byCell.values()) {
      if (this.total <= TOTAL_LIMIT) return;
      if (execution.state === 'done') this.forget(execution);
    }
  }

  private forget(execution: Execution | undefined): void {
    if (!execution) return;
    this.grow(execution, -execution.size);
    this.byMessage.delete(execution.msgId);
    this.byCell.delete(execution.cellId);
  }
}

/** Types of messages that change a cell's outputs. */
const OUTPUT_TYPES = new Set([
  'stream',
  'display_data',
  'update_display_data',
  'execute_result',
  'error',
  'clear_output',
]);

function savedOutput(type: string, { transient: _, ...message }: Record<string, any>): SavedOutput {
  return { output_type: type, ...message };
}

/** Appends an output; text joins the last one when that is of the same stream. */
function append({ outputs }: Execution, kept: Kept): void {
  const last = outputs.at(-1);
  if (
    kept.output.output_type === 'stream' &&
    last?.output.output_type === 'stream' &&
    last.output.name === kept.output.name
  ) {
    last.output.text += kept.output.text;
    last.size += kept.size;
  } else outputs.push(kept);
}

function describe(execution: Execution, whole: boolean): CellExecution {
  const { msgId, cellId, code, executionCount, state, outputs, clearNext, changed, saved } = execution;
  const displays: Record<string, number[]> = Object.create(null);
  outputs.forEach(({ displayId }, i) => {
    if (displayId !== undefined) (displays[displayId] ??= []).push(i);
  });
  return {
    msgId,
    cellId,
    code,
    executionCount,
    state,
    clearNext,
    displays,
    partlySaved: saved > 0,
    outputs: whole || changed > saved ? outputs.map(({ output }) => output) : null,
    count: outputs.length,
  };
}
