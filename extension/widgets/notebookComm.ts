import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';

/** Receives the events of a {@link NotebookComm}. */
export interface CommListener<Message> {
  message(message: Message): void;
  /** Called with `true` at each message, with `false` when the other side is gone. */
  connected(connected: boolean): void;
  /** Called when the comm was opened: requests can be sent. */
  opened?(): void;
}

/** Options of a {@link NotebookComm}. */
export interface NotebookCommOptions {
  target: string;
  /** JSON that the kernel gets with the opening. */
  data?: object;
  /** Whether it is opened again once the kernel has restarted: for targets that every kernel has. */
  reopens?: boolean;
}

/** A view's comm with the Joylab kernel of a notebook: opened when there is one, and again when another replaces it. */
export class NotebookComm<Request, Message> {
  private comm: Kernel.IComm | null = null;
  private opening = false;
  private disposed = false;

  constructor(
    private readonly session: ISessionContext,
    private readonly options: NotebookCommOptions,
    private readonly listener: CommListener<Message>,
  ) {
    session.kernelChanged.connect(this.reopen, this);
    session.statusChanged.connect(this.onStatusChanged, this);
    void session.ready.then(() => this.open());
  }

  /** Sends a request. Returns false where there is no kernel that could get it. */
  send(request: Request): boolean {
    if (!this.comm || this.comm.isDisposed) return false;
    this.comm.send(request as never);
    return true;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.session.kernelChanged.disconnect(this.reopen, this);
    this.session.statusChanged.disconnect(this.onStatusChanged, this);
    const { comm } = this;
    this.comm = null;
    try {
      comm?.close();
    } catch {
      // The kernel's connection was closed before.
    }
  }

  private reopen(): void {
    this.drop();
    void this.open();
  }

  private onStatusChanged(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') this.drop();
    else if (this.options.reopens && (status === 'idle' || status === 'busy')) void this.open();
  }

  private async open(): Promise<void> {
    const kernel = this.session.session?.kernel;
    if (this.disposed || this.comm || this.opening || !kernel?.handleComms) return;
    this.opening = true;
    const info = await kernel.info.catch(() => null);
    this.opening = false;
    if (this.disposed || this.comm) return;
    // Another one may have replaced it meanwhile.
    if (kernel !== this.session.session?.kernel) return this.open();
    if (info?.implementation !== 'joylab' || kernel.status === 'restarting') return;
    const comm = (this.comm = kernel.createComm(this.options.target));
    // No promise may be returned here: it would hold up all messages of the kernel.
    comm.onMsg = ({ content }) => {
      this.listener.connected(true);
      this.listener.message(content.data as unknown as Message);
    };
    comm.onClose = () => {
      if (this.comm === comm) this.drop();
    };
    comm.open((this.options.data ?? {}) as never);
    this.listener.opened?.();
  }

  /** Forgets the comm: the other side is gone. */
  private drop(): void {
    this.comm = null;
    if (!this.disposed) this.listener.connected(false);
  }
}
