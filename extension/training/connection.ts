import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import {
  TRAINING_COMM,
  type TrainingControl,
  type TrainingMessage,
  type TrainingViewMessage,
} from '../../kernel/display/mime';
import { watchConnection } from './pulse';

/** Milliseconds after which the whole run is asked for again: a server loses messages while connections replace one another. */
const ASK_AGAIN = 2000;
/** Tries after which the connection is made anew. */
const TRIES = 4;

/** Receives the events of a connection. */
export interface ConnectionListener {
  message(message: TrainingMessage, buffers: Uint8Array[]): void;
  /** Called when the run answers first, and when its connection is lost. */
  connected(connected: boolean): void;
  /** Called when the way to the kernel is lost, with the time of its last message, and with `null` when the run has answered again. */
  away(since: number | null): void;
}

/**
 * A view's comm with its run: opened when there is a kernel, and again when another
 * one replaces it; lost when the kernel does not know the run.
 */
export class TrainingConnection {
  private comm: Kernel.IComm | null = null;
  /** Number of the message that comes next. */
  private expected = 0;
  private unwatch: (() => void) | null = null;
  private isAway = false;
  /** When the whole run was asked for; 0: it has come. */
  private asked = 0;
  private tries = 0;
  private visible = false;
  private tiles = 0;
  private disposed = false;

  constructor(
    private readonly session: ISessionContext,
    private readonly runId: string,
    private readonly listener: ConnectionListener,
  ) {
    session.kernelChanged.connect(this.onKernelChanged, this);
    session.statusChanged.connect(this.onStatusChanged, this);
    void session.ready.then(() => this.connect());
  }

  /** Tells the kernel that the group of a step was shown: the next may come. */
  acknowledge(step: number): void {
    this.send({ type: 'ack', step });
  }

  /** Tells the kernel how many rollouts of a group the view shows while they play. */
  follow(tiles: number): void {
    this.tiles = tiles;
    this.send({ type: 'live', tiles });
  }

  /** Tells the kernel that what has changed of a group that plays was drawn: more may come. */
  drawn(): void {
    this.send({ type: 'drawn' });
  }

  /** Asks the kernel to pause, stop or save the run. */
  control(control: TrainingControl): void {
    this.send({ type: 'control', control });
  }

  /** Asks for a report of the run. */
  report(): void {
    this.send({ type: 'report' });
  }

  /** Asks for a rollout with all its frames. Returns false where no kernel could answer. */
  open(step: number, index: number): boolean {
    this.send({ type: 'open', step, index });
    return this.comm !== null;
  }

  /** Tells the kernel whether the view is visible: groups are sent only then. */
  setVisible(visible: boolean): void {
    if (visible === this.visible) return;
    this.visible = visible;
    this.send({ type: 'visible', visible });
  }

  /** Watches the way to the kernel, or ends that: a run that stands still has nothing to miss. */
  watch(watched: boolean): void {
    if (watched === (this.unwatch !== null)) return;
    if (watched) this.unwatch = watchConnection(this.session, (since) => this.onAway(since));
    else {
      this.unwatch!();
      this.unwatch = null;
    }
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.watch(false);
    this.session.kernelChanged.disconnect(this.onKernelChanged, this);
    this.session.statusChanged.disconnect(this.onStatusChanged, this);
    this.close();
  }

  private onKernelChanged(): void {
    this.drop();
    this.connect();
  }

  /** Drops the comm of a restarted kernel, which has forgotten its comms and runs. */
  private onStatusChanged(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') this.drop();
  }

  private connect(): void {
    const kernel = this.session.session?.kernel;
    if (this.disposed || this.comm || !kernel?.handleComms) {
      if (!this.comm) this.listener.connected(false);
      return;
    }
    const comm = kernel.createComm(TRAINING_COMM);
    this.comm = comm;
    this.expected = 0;
    // No promise may be returned here: it would hold up all messages of the kernel.
    let answered = false;
    comm.onMsg = ({ content, buffers = [] }) => {
      if (!answered) this.listener.connected(true);
      answered = true;
      this.receive(content.data as unknown as TrainingMessage & { number?: number }, buffers.map(toBytes));
    };
    comm.onClose = () => {
      if (this.comm === comm) this.drop();
    };
    comm.open({ runId: this.runId });
    this.tellVisible();
  }

  private receive({ number, ...message }: TrainingMessage & { number?: number }, buffers: Uint8Array[]): void {
    // Some were lost on the way: the rest is of little use without them.
    if (message.type === 'data') this.whole();
    else if (this.asked > 0 || (number !== undefined && number !== this.expected)) this.sync();
    this.expected = (number ?? this.expected) + 1;
    this.listener.message(message, buffers);
  }

  private onAway(since: number | null): void {
    if (since === null) return this.sync();
    this.isAway = true;
    this.listener.away(since);
  }

  /** Takes notice that the whole run has come. */
  private whole(): void {
    this.asked = this.tries = 0;
    if (!this.isAway) return;
    this.isAway = false;
    this.listener.away(null);
  }

  /** Asks for the whole run, as nothing says which messages have arrived; again where the answer does not come. */
  private sync(): void {
    if (Date.now() - this.asked < ASK_AGAIN) return;
    this.asked = Date.now();
    // Its messages come, and ours do not arrive: half of the connection is dead.
    if (++this.tries > TRIES) {
      this.tries = 0;
      void this.session.session?.kernel?.reconnect().catch(() => undefined);
      return;
    }
    this.send({ type: 'sync' });
    // What the kernel knew of this view may be lost, too.
    this.tellVisible();
  }

  private tellVisible(): void {
    if (this.tiles > 0) this.send({ type: 'live', tiles: this.tiles });
    if (this.visible) this.send({ type: 'visible', visible: true });
  }

  private send(message: TrainingViewMessage): void {
    if (this.comm && !this.comm.isDisposed) this.comm.send(message as never);
  }

  /** Forgets the comm: the other side is gone. */
  private drop(): void {
    const had = this.comm !== null;
    this.comm = null;
    this.watch(false);
    this.isAway = false;
    this.asked = 0;
    if (had && !this.disposed) this.listener.connected(false);
  }

  private close(): void {
    const comm = this.comm;
    this.comm = null;
    if (!comm || comm.isDisposed) return;
    try {
      comm.close();
    } catch {
      // The kernel's connection was closed before.
    }
  }
}

/** Returns the bytes of a buffer of a comm message. */
export function toBytes(buffer: ArrayBuffer | ArrayBufferView): Uint8Array {
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer)
    : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
