import { Router, XPublisher } from 'zeromq';
import { address, type ConnectionInfo } from './connection';
import { decode, encode, MalformedMessage, type Message, type OutgoingMessage } from './message';
import { Signer } from './signature';

/** How long the kernel's exit waits for messages that are still unsent, in milliseconds. */
const LINGER = 500;

type RequestChannel = 'shell' | 'control' | 'stdin';

/** What the sockets report. */
export interface SocketHandlers {
  onMessage(channel: RequestChannel, message: Message): void;
  /** A message was dropped. */
  onDropped(channel: RequestChannel, reason: string): void;
  /** A client subscribed on iopub. */
  onSubscribe(topic: Uint8Array): void;
}

/** The kernel's five ZeroMQ sockets. Incoming messages that are malformed or wrongly signed are dropped and counted. */
export class Sockets {
  /** Messages dropped so far. */
  dropped = 0;
  private readonly signer: Signer;
  private readonly routers: Record<RequestChannel | 'hb', Router>;
  private readonly iopub: XPublisher;
  private readonly outboxes = new Map<Router | XPublisher, Promise<void>>();

  constructor(
    private readonly connection: ConnectionInfo,
    private readonly handlers: SocketHandlers,
  ) {
    this.signer = new Signer(connection.signature_scheme, connection.key);
    const router = () => new Router({ linger: LINGER, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    this.routers = { shell: router(), control: router(), stdin: router(), hb: router() };
    this.iopub = new XPublisher({ linger: LINGER, sendHighWaterMark: 0, verbosity: 'allSubs' });
  }

  async bind(): Promise<void> {
    const { connection, routers } = this;
    await Promise.all([
      routers.shell.bind(address(connection, connection.shell_port)),
      routers.control.bind(address(connection, connection.control_port)),
      routers.stdin.bind(address(connection, connection.stdin_port)),
      routers.hb.bind(address(connection, connection.hb_port)),
      this.iopub.bind(address(connection, connection.iopub_port)),
    ]);
    for (const channel of ['shell', 'control', 'stdin'] as const) void this.receive(channel);
    void this.echo();
    void this.subscriptions();
  }

  /** Sends on a request channel, to the client with these identities. */
  send(channel: RequestChannel, identities: Uint8Array[], message: OutgoingMessage): void {
    this.enqueue(this.routers[channel], encode(message, identities, this.signer));
  }

  /** Publishes on iopub. */
  publish(message: OutgoingMessage, topic: Uint8Array = Buffer.from(message.type)): void {
    this.enqueue(this.iopub, encode(message, [topic], this.signer));
  }

  /** Resolves when everything enqueued so far was handed to ZeroMQ. */
  async flushed(): Promise<void> {
    await Promise.all(this.outboxes.values());
  }

  close(): void {
    for (const socket of [...Object.values(this.routers), this.iopub]) socket.close();
  }

  /** A socket allows one `send` at a time. */
  private enqueue(socket: Router | XPublisher, frames: Uint8Array[]): void {
    const before = this.outboxes.get(socket) ?? Promise.resolve();
    const sent = before.then(() => socket.send(frames)).catch(() => {
      // The client is gone, or the socket was closed: nobody waits for this message.
    });
    this.outboxes.set(socket, sent);
  }

  private async receive(channel: RequestChannel): Promise<void> {
    for await (const frames of this.routers[channel]) {
      try {
        this.handlers.onMessage(channel, decode(frames, this.signer));
      } catch (error) {
        this.dropped++;
        this.handlers.onDropped(channel, error instanceof MalformedMessage ? error.message : String(error));
      }
    }
  }

  private async echo(): Promise<void> {
    for await (const frames of this.routers.hb) this.enqueue(this.routers.hb, frames);
  }

  private async subscriptions(): Promise<void> {
    for await (const [frame] of this.iopub) if (frame[0] === 1) this.handlers.onSubscribe(frame.subarray(1));
  }
}
