import { randomUUID } from 'node:crypto';
import type { Comm } from '../display/cellContext';
import type { CommOpener } from './interpreter';

/** Publishes a comm message on iopub. */
export type CommPublisher = (
  type: 'comm_open' | 'comm_msg' | 'comm_close',
  content: object,
  buffers: Uint8Array[],
  metadata?: object,
) => void;

type OpenHandler = (comm: Comm, data: any, buffers: Uint8Array[]) => void;

class KernelComm implements Comm {
  private readonly messageHandlers: Array<(data: any, buffers: Uint8Array[]) => void> = [];
  private readonly closeHandlers: Array<() => void> = [];
  private closed = false;

  constructor(
    readonly commId: string,
    readonly target: string,
    private readonly publish: CommPublisher,
    private readonly forget: () => void,
  ) {}

  send(data: object, buffers: Uint8Array[] = []): void {
    if (this.closed) return;
    this.publish('comm_msg', { comm_id: this.commId, data }, buffers);
  }

  onMessage(handler: (data: any, buffers: Uint8Array[]) => void): void {
    this.messageHandlers.push(handler);
  }

  onClose(handler: () => void): void {
    this.closeHandlers.push(handler);
  }

  close(): void {
    if (this.closed) return;
    this.publish('comm_close', { comm_id: this.commId, data: {} }, []);
    this.handleClose();
  }

  handleMessage(data: any, buffers: Uint8Array[]): void {
    for (const handler of this.messageHandlers) handler(data, buffers);
  }

  handleClose(): void {
    this.closed = true;
    this.forget();
    for (const handler of this.closeHandlers) handler();
  }
}

/** The open comms of a kernel, and the targets that front ends can open. */
export class Comms implements CommOpener {
  private readonly targets = new Map<string, OpenHandler>();
  private readonly comms = new Map<string, KernelComm>();

  constructor(private readonly publish: CommPublisher) {}

  registerTarget(target: string, onOpen: OpenHandler): void {
    this.targets.set(target, onOpen);
  }

  /** Opens a comm from the kernel's side and returns it. */
  open(target: string, data: object = {}, buffers: Uint8Array[] = [], metadata?: object): Comm {
    const comm = this.create(randomUUID(), target);
    this.publish('comm_open', { comm_id: comm.commId, target_name: target, data }, buffers, metadata);
    return comm;
  }

  /** Returns the content of `comm_info_reply`: the open comms, of one target or of all. */
  info(target?: string): { comms: Record<string, { target_name: string }> } {
    const open = [...this.comms.values()].filter((comm) => !target || comm.target === target);
    return { comms: Object.fromEntries(open.map((comm) => [comm.commId, { target_name: comm.target }])) };
  }

  /** Handles a message from the front end. A handler's exception passes through. */
  receive(type: string, content: Record<string, any>, buffers: Uint8Array[]): void {
    const id = String(content.comm_id);
    const data = content.data ?? {};
    if (type === 'comm_open') {
      const onOpen = this.targets.get(content.target_name);
      if (!onOpen) return this.publish('comm_close', { comm_id: id, data: {} }, []);
      onOpen(this.create(id, content.target_name), data, buffers);
    } else if (type === 'comm_msg') this.comms.get(id)?.handleMessage(data, buffers);
    else this.comms.get(id)?.handleClose();
  }

  private create(id: string, target: string): KernelComm {
    const comm = new KernelComm(id, target, this.publish, () => this.comms.delete(id));
    this.comms.set(id, comm);
    return comm;
  }
}
