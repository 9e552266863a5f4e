import { setImmediate } from 'node:timers/promises';
import { Router, XPublisher } from 'zeromq';
import { address, PORTS, type ConnectionInfo, type PortName } from '../connection';
import { decode, encode, MalformedMessage, type Message, type OutgoingMessage } from '../message';
import { Signer } from '../signature';

/** Milliseconds that the kernel's exit waits for messages that are still unsent. */
const LINGER = 500;

export type RequestChannel = 'shell' | 'control' | 'stdin';

/** Handles what arrives at the sockets. */
export interface SocketHandlers {
  onMessage(channel: RequestChannel, message: Message): void;
  /** Called when a message is dropped. */
  onDropped(channel: RequestChannel, reason: string): void;
  /** Called when a client subscribes on iopub. */
  onSubscribe(topic: Uint8Array): void;
}

/** The kernel's five ZeroMQ sockets. Incoming messages that are malformed or wrongly signed are dropped and counted. */
export class Sockets {
  /** Messages dropped so far. */
  dropped = 0;
  private readonly seen = new SeenSignatures();
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

  /**
   * Opens the sockets. The system chooses the ports that are 0; they are set in
   * the connection, which is then returned, otherwise `null`.
   *
   * @throws Error that names the address when it cannot listen there
   */
  async bind(): Promise<ConnectionInfo | null> {
    const { connection, routers } = this;
    const sockets: Record<PortName, Router | XPublisher> = {
      shell_port: routers.shell,
      control_port: routers.control,
      stdin_port: routers.stdin,
      hb_port: routers.hb,
      iopub_port: this.iopub,
    };
    void this.subscriptions();
    const open = PORTS.filter((name) => connection[name] === 0);
    // Ports that are given come first: the system must not choose one of them.
    await Promise.all(PORTS.filter((name) => connection[name] !== 0).map((name) => this.bindOne(sockets[name], name)));
    for (const name of open) {
      await this.bindOne(sockets[name], name);
      connection[name] = Number(sockets[name].lastEndpoint!.split(':').at(-1));
    }
    for (const channel of ['shell', 'control', 'stdin'] as const) void this.receive(channel);
    void this.echo();
    // Clients that subscribed meanwhile are welcomed before anything else is published.
    await setImmediate();
    return open.length > 0 ? connection : null;
  }

  private async bindOne(socket: Router | XPublisher, name: PortName): Promise<void> {
    const place = address(this.connection, this.connection[name]);
    await socket.bind(place).catch((error: Error) => {
      throw new Error(
        `Cannot listen on ${place} (${name} of the connection file): ${error.message}. Is another kernel using it?`,
      );
    });
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

  /** Sends after what was enqueued before: a socket allows one `send` at a time. */
  private enqueue(socket: Router | XPublisher, frames: Uint8Array[]): void {
    const before = this.outboxes.get(socket) ?? Promise.resolve();
    const sent = before
      .then(() => socket.send(frames))
      .catch(() => {
        // The client is gone, or the socket was closed: nobody waits for this message.
      });
    this.outboxes.set(socket, sent);
  }

  private async receive(channel: RequestChannel): Promise<void> {
    for await (const frames of this.routers[channel]) {
      try {
        const message = decode(frames, this.signer);
        if (this.connection.key && !this.seen.add(message.signature)) throw new MalformedMessage('it was sent before');
        this.handlers.onMessage(channel, message);
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

/** Signatures of the newest messages received: one that occurs again is a replay. */
class SeenSignatures {
  private readonly signatures = new Set<string>();

  /** Returns `false` for a signature that was seen before. */
  add(signature: string): boolean {
    if (this.signatures.has(signature)) return false;
    this.signatures.add(signature);
    if (this.signatures.size > MAXIMUM_SEEN) this.signatures.delete(this.signatures.values().next().value!);
    return true;
  }
}

/** As many as jupyter_client remembers. */
const MAXIMUM_SEEN = 1 << 16;
