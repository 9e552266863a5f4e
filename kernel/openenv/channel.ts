import WebSocket from 'ws';
import { OpenEnvError } from './errors';

/** Options of {@link Channel.open}. Times in milliseconds. */
export interface ChannelOptions {
  /** For the connection to be made. */
  connectTimeout: number;
  /** For each answer. */
  messageTimeout: number;
  /** Closes the channel when aborted; requests under way fail with its reason. */
  signal?: AbortSignal;
  /** Asked when the connection breaks: what happened to the server, where it is known. */
  explainLoss?: () => Promise<string | undefined>;
}

/** What a message carries: text, or bytes. */
export type Message = string | Uint8Array;

interface Pending {
  resolve(answer: Message): void;
  reject(error: unknown): void;
  timer: NodeJS.Timeout | undefined;
}

/**
 * A WebSocket on which every request gets one answer, in order.
 *
 * #### Notes
 * An answer that comes too late would be taken for the next one's, so a
 * time-out closes the channel. An idle channel does not keep Node.js alive.
 */
export class Channel {
  private readonly pending: Pending[] = [];
  private readonly unasked: Message[] = [];
  private failure: unknown;
  /** The TCP socket: it keeps Node.js alive only while an answer is awaited. */
  private tcp: { ref(): void; unref(): void } | undefined;

  private constructor(
    readonly url: string,
    private readonly socket: WebSocket,
    private readonly options: ChannelOptions,
  ) {}

  /** Connects. Fails with `CONNECTION_FAILED` or `TIMEOUT`. */
  static async open(url: string, options: ChannelOptions): Promise<Channel> {
    options.signal?.throwIfAborted();
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 100 * 2 ** 20, handshakeTimeout: options.connectTimeout });
    const channel = new Channel(url, socket, options);
    await channel.connected();
    return channel;
  }

  /** Sends a request and waits for its answer. */
  request(message: Message): Promise<Message> {
    return this.early() ?? this.expect(() => this.socket.send(message));
  }

  /** Waits for a message that the server sends without being asked, such as a greeting. */
  receive(): Promise<Message> {
    return this.early() ?? this.expect(() => {});
  }

  /** Sends a message that has no answer. */
  notify(message: Message): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message);
  }

  /** Closes the connection; requests under way fail with `reason`. Resolves when the server knows of it, or after a second. */
  close(reason: unknown = new OpenEnvError('CLOSED', 'The environment was closed.')): Promise<void> {
    this.fail(reason);
    return new Promise(resolve => {
      if (this.socket.readyState === WebSocket.CLOSED) return resolve();
      const timer = setTimeout(() => this.socket.terminate(), 1000).unref();
      this.socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.tcp?.ref();
      this.socket.close();
    });
  }

  /** A message that came before it was asked for: a greeting, or why the server wants no session. */
  private early(): Promise<Message> | undefined {
    const message = this.unasked.shift();
    return message === undefined ? undefined : Promise.resolve(message);
  }

  private connected(): Promise<void> {
    const { socket, url, options } = this;
    return new Promise((resolve, reject) => {
      socket.on('upgrade', response => (this.tcp = response.socket));
      socket.once('open', () => {
        this.tcp?.unref();
        this.listen();
        resolve();
      });
      socket.once('error', error => {
        if (error.message.includes('handshake has timed out')) {
          reject(new OpenEnvError('TIMEOUT', `${url} did not answer within ${options.connectTimeout / 1000} s.`));
        } else {
          reject(new OpenEnvError('CONNECTION_FAILED', `No OpenEnv server answers at ${url}: ${error.message || 'connection refused'}.`));
        }
      });
      options.signal?.addEventListener('abort', this.abort, { once: true });
    });
  }

  private readonly abort = (): void => {
    this.fail(this.options.signal?.reason);
    this.socket.terminate();
  };

  private listen(): void {
    this.socket.on('message', (data, isBinary) => this.deliver(isBinary ? (data as Buffer) : data.toString()));
    this.socket.on('error', () => {});
    this.socket.on('close', code => void this.lost(code));
  }

  private deliver(message: Message): void {
    const next = this.pending.shift();
    if (!next) {
      this.unasked.push(message);
      return;
    }
    clearTimeout(next.timer);
    if (this.pending.length === 0) this.tcp?.unref();
    next.resolve(message);
  }

  private expect(send: () => void): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        reject(this.failure);
        return;
      }
      const timer = setTimeout(() => this.timedOut(), this.options.messageTimeout);
      this.pending.push({ resolve, reject, timer });
      this.tcp?.ref();
      send();
    });
  }

  private timedOut(): void {
    const seconds = this.options.messageTimeout / 1000;
    this.fail(new OpenEnvError('TIMEOUT', `The server at ${this.url} did not answer within ${seconds} s. The session was given up.`));
    this.socket.terminate();
  }

  private async lost(code: number): Promise<void> {
    if (this.failure !== undefined) return;
    const why = await this.options.explainLoss?.();
    this.fail(new OpenEnvError('CONNECTION_LOST', why ?? `The connection to ${this.url} broke (WebSocket code ${code}). The session is lost.`));
  }

  private fail(reason: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = reason ?? new OpenEnvError('CLOSED', 'The connection was closed.');
    this.options.signal?.removeEventListener('abort', this.abort);
    this.tcp?.unref();
    for (const { reject, timer } of this.pending.splice(0)) {
      clearTimeout(timer);
      reject(this.failure);
    }
  }
}
