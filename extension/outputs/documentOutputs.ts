import type { CodeCell, ICodeCellModel } from '@jupyterlab/cells';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { JSONExt } from '@lumino/coreutils';
import {
  OUTPUTS_COMM,
  REVISION,
  type CellExecution,
  type OutputsMessage,
  type OutputsPageMessage,
} from '../../kernel/jupyter/outputsComm';
import { FollowedExecution } from './followedExecution';

/** Milliseconds after which lost outputs are asked for again. */
const ASK_AGAIN = 3000;

/**
 * Requests the outputs of a notebook's cells that no view of it receives by itself
 * from the kernel, and follows them. It also tells the kernel what was saved, so that
 * the kernel knows what the next page lacks.
 */
export class DocumentOutputs {
  private kernel: Kernel.IKernelConnection | null = null;
  private comm: Kernel.IComm | null = null;
  private readonly followed = new Map<string, FollowedExecution>();
  /** Executions whose outputs this document has: its own, and those that are followed. */
  private readonly present = new Set<string>();
  /** Executions of this page whose views have missed messages: they are followed instead. */
  private readonly taken = new Set<string>();
  /** Executions that another page saves: this one only shows them. */
  private readonly elsewhere = new Set<string>();
  /** Whether the notebook had unsaved changes before outputs were restored. */
  private wasDirty = false;
  /** The cells of views that receive the outputs of an execution by themselves, by its ID. */
  private readonly owners = new Map<string, CodeCell | null>();
  /** Revision of the newest message with output. */
  private revision = 0;
  /** Whether the connection to the kernel was cut, so that messages may be lost. */
  private wasCut = false;
  private recovery = 0;
  /** Revision and executions of the file that is being saved. */
  private saving: { revision: number; executions: string[] } | null = null;

  /** @param views returns the open views of the document */
  constructor(
    private readonly context: DocumentRegistry.IContext<INotebookModel>,
    private readonly views: () => NotebookPanel[],
  ) {
    context.saveState.connect(this.onSaveState, this);
    context.sessionContext.kernelChanged.connect(this.attach, this);
    context.sessionContext.statusChanged.connect((_, status) => {
      if (status === 'restarting' || status === 'autorestarting' || status === 'dead') this.forget();
      else this.attach();
    });
    context.sessionContext.connectionStatusChanged.connect((_, status) => {
      if (status === 'connected' && this.wasCut) this.recover();
      this.wasCut = status !== 'connected';
    });
    // The last view was closed: the connection to the kernel is closed after this.
    context.sessionContext.disposed.connect(() => {
      this.send({ type: 'discarded', executions: [...this.present] });
      this.forget();
    });
    void Promise.all([context.ready, context.sessionContext.ready]).then(() => this.attach());
  }

  /**
   * Opens the comm once the kernel and the cells are ready. In a collaborative document
   * the page that runs a cell writes for all.
   */
  private attach(): void {
    const { context } = this;
    const kernel = context.sessionContext.session?.kernel ?? null;
    if (context.isDisposed || !context.isReady || context.model.collaborative || (kernel === this.kernel && this.comm))
      return;
    this.forget();
    if (!kernel?.handleComms) return;
    this.kernel = kernel;
    void kernel.info.then(({ implementation }) => {
      if (implementation === 'joylab' && this.kernel === kernel && !this.comm) this.open(kernel);
    });
  }

  private open(kernel: Kernel.IKernelConnection): void {
    const comm = (this.comm = kernel.createComm(OUTPUTS_COMM));
    comm.onMsg = ({ content }) => this.receive(content.data as unknown as OutputsMessage);
    comm.onClose = () => {
      if (this.comm === comm) this.forget();
    };
    kernel.iopubMessage.connect(this.onMessage, this);
    comm.open({});
  }

  /** Forgets all executions: the kernel was replaced or restarted. */
  private forget(): void {
    this.kernel?.iopubMessage.disconnect(this.onMessage, this);
    this.kernel = this.comm = null;
    for (const execution of this.followed.values()) execution.lost();
    for (const executions of [this.followed, this.present, this.taken, this.elsewhere, this.owners]) executions.clear();
    this.revision = 0;
  }

  private send(message: OutputsPageMessage): void {
    if (this.comm && !this.comm.isDisposed && message.executions.length > 0) this.comm.send(message as never);
  }

  private receive(message: OutputsMessage): void {
    const { context, present, elsewhere } = this;
    if (context.isDisposed) return;
    if (message.type === 'who')
      this.send({ type: 'here', executions: [...present].filter((id) => !elsewhere.has(id)) });
    else if (message.type === 'executions') {
      clearTimeout(this.recovery);
      this.wasDirty = context.model.dirty;
      for (const execution of message.executions) this.follow(execution);
    } else if (message.type === 'elsewhere') {
      const taken = message.executions.filter((id) => this.followed.has(id));
      for (const id of taken) elsewhere.add(id);
      if (taken.length > 0 && [...this.followed.keys()].every((id) => elsewhere.has(id)))
        context.model.dirty = this.wasDirty;
    }
  }

  /** Asks for the outputs of what runs: messages that came while the connection was cut are lost, or on their way. */
  private recover(): void {
    clearTimeout(this.recovery);
    if (!this.comm) return;
    const own = this.cells().flatMap(({ outputArea: { future } }) =>
      future && !future.isDisposed ? future.msg.header.msg_id : [],
    );
    const executions = [...own, ...this.followed.keys()];
    this.send({ type: 'ask', executions });
    // A server loses messages while connections replace one another.
    if (executions.length > 0) this.recovery = window.setTimeout(() => this.recover(), ASK_AGAIN);
  }

  /** Follows an execution in place of the view that has run it, where that has missed outputs, or its end. */
  private takeOver(execution: CellExecution, model: ICodeCellModel): void {
    const { msgId, outputs, state } = execution;
    const future = this.cells().find((cell) => cell.model === model)?.outputArea.future;
    if (future?.msg.header.msg_id !== msgId) return;
    if (state !== 'done' && JSONExt.deepEqual(model.outputs.toJSON() as never, outputs as never)) return;
    future.dispose();
    // JupyterLab takes notice before the answer comes.
    this.taken.add(msgId);
    this.send({ type: 'ask', executions: [msgId] });
  }

  private follow(given: CellExecution): void {
    const cell = this.cellModel(given.cellId);
    if (!cell) return;
    if (this.isRunHere(cell)) return this.takeOver(given, cell);
    // Its outputs were there, whatever was edited since.
    const execution = this.taken.has(given.msgId) ? { ...given, partlySaved: true } : given;
    const followed = FollowedExecution.from(execution, cell);
    if (!followed) return;
    this.followed.set(execution.msgId, followed);
    this.present.add(execution.msgId);
  }

  private onMessage(_: Kernel.IKernelConnection, message: KernelMessage.IIOPubMessage): void {
    const revision = message.metadata[REVISION];
    if (typeof revision === 'number') this.revision = revision;
    const parent = message.parent_header as Partial<KernelMessage.IHeader>;
    const id = parent.msg_id;
    if (id !== undefined && parent.session === this.kernel?.clientId && parent.msg_type === 'execute_request')
      this.watchOwn(id);
    for (const [msgId, execution] of this.followed) {
      if (msgId !== id && !execution.shows(message)) continue;
      if (!execution.isCurrent || this.isRunHere(execution.cell)) this.followed.delete(msgId);
      else this.apply(message, msgId, execution);
    }
  }

  private apply(message: KernelMessage.IIOPubMessage, msgId: string, execution: FollowedExecution): void {
    const { model } = this.context;
    const { dirty } = model;
    if (msgId === (message.parent_header as Partial<KernelMessage.IHeader>).msg_id) execution.receive(message);
    else execution.updateDisplays(message);
    if (this.elsewhere.has(msgId)) model.dirty = dirty;
  }

  /**
   * Follows an execution of this page whose view was disposed, as after a reload of the
   * file: the new view does not receive the rest of its outputs.
   */
  private watchOwn(id: string): void {
    this.present.add(id);
    if (this.followed.has(id)) return;
    const owner = this.owners.get(id);
    if (owner === undefined)
      this.owners.set(id, this.cells().find(({ outputArea }) => outputArea.future?.msg.header.msg_id === id) ?? null);
    else if (owner?.isDisposed) {
      this.owners.set(id, null);
      this.send({ type: 'ask', executions: [id] });
    }
  }

  private onSaveState(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'started') this.saving = { revision: this.revision, executions: [...this.present] };
    else if (state === 'completed' && this.saving) {
      this.send({ type: 'saved', ...this.saving });
      // JupyterLab takes what came while it saved as saved.
      if (this.revision > this.saving.revision) this.context.model.dirty = true;
    }
  }

  private cellModel(id: string): ICodeCellModel | undefined {
    for (const cell of this.context.model.cells)
      if (cell.id === id && cell.type === 'code') return cell as ICodeCellModel;
    return undefined;
  }

  private cells(): CodeCell[] {
    return this.views().flatMap((view) =>
      view.content.widgets.filter((cell): cell is CodeCell => cell.model?.type === 'code'),
    );
  }

  /** Returns whether a view of the cell has run it, and receives its outputs by itself. */
  private isRunHere(model: ICodeCellModel): boolean {
    return this.cells().some(
      (cell) => cell.model === model && cell.outputArea?.future && !cell.outputArea.future.isDisposed,
    );
  }
}
