import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import { REWARDS_COMM, type RewardsMessage, type RewardsRequest } from '../../kernel/display/rewardsMime';

/** Receives the events of a connection. */
export interface RewardsListener {
  message(message: RewardsMessage): void;
  connected(connected: boolean): void;
}

/** A panel's comm with the reward functions of the kernel. */
export class RewardsConnection {
  private comm: Kernel.IComm | null = null;
  private disposed = false;

  constructor(
    private readonly session: ISessionContext,
    private readonly id: string,
    private readonly listener: RewardsListener,
  ) {
    session.kernelChanged.connect(this.reopen, this);
    session.statusChanged.connect(this.onStatusChanged, this);
    void session.ready.then(() => this.open());
  }

  send(request: RewardsRequest): void {
    if (this.comm && !this.comm.isDisposed) this.comm.send(request as never);
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
  }

  private async open(): Promise<void> {
    const kernel = this.session.session?.kernel;
    if (this.disposed || this.comm || !kernel?.handleComms) return;
    const { implementation } = await kernel.info;
    if (this.disposed || this.comm || implementation !== 'joylab') return;
    const comm = (this.comm = kernel.createComm(REWARDS_COMM));
    // No promise may be returned here: it would hold up all messages of the kernel.
    comm.onMsg = ({ content }) => {
      this.listener.connected(true);
      this.listener.message(content.data as unknown as RewardsMessage);
    };
    comm.onClose = () => {
      if (this.comm === comm) this.drop();
    };
    comm.open({ id: this.id });
  }

  /** Forgets the comm: the other side is gone. */
  private drop(): void {
    this.comm = null;
    if (!this.disposed) this.listener.connected(false);
  }
}
