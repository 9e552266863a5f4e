import * as net from 'node:net';
import { OpenEnvError } from '../../../openenv/errors';

/** Bytes of the length before a message. */
const HEADER = 4;
/** Bytes of a message, at most. */
const MOST_BYTES = 256 * 2 ** 20;

/** Options of {@link Stream.connect}. Times in milliseconds. */
export interface StreamOptions {
  /** For the connection to be made. */
  connectTimeout: number;
  /** For each answer. */
  messageTimeout: number;
}

/** Milliseconds that the process has to close a connection. */
const END = 500;
/** Bytes that are read at a time: more than three frames of a game. */
const READ_BYTES = 2 ** 17;

interface Pending {
  resolve(answer: Uint8Array): void;
  reject(error: unknown): void;
}

/**
 * A TCP connection to a process of this machine, on which every request has one
 * answer, in order; messages are bytes. A message takes a fifth of the time that
 * it takes over a WebSocket.
 *
 * #### Notes
 * A time-out closes the connection. An idle one does not keep Node.js alive.
 */
export class Stream {
  private readonly pending: Pending[] = [];
  private failure: unknown;
  private readonly header = Buffer.alloc(HEADER);
  private headerBytes = 0;
  /** The message that is being read. */
  private message: Uint8Array | undefined;
  private messageBytes = 0;

  private constructor(
    private readonly url: string,
    private readonly socket: net.Socket,
    private readonly options: StreamOptions,
  ) {}

  /** Connects to `tcp://host:port`. Rejects with `CONNECTION_FAILED` or `TIMEOUT`. */
  static connect(url: string, options: StreamOptions): Promise<Stream> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const buffer = Buffer.alloc(READ_BYTES);
      const onread = { buffer, callback: (count: number): boolean => stream.receive(buffer, count) };
      const socket = net.connect({ host: hostname, port: Number(port), noDelay: true, onread });
      const stream = new Stream(url, socket, options);
      socket.once('error', (error) =>
        reject(new OpenEnvError('CONNECTION_FAILED', `No process answers at ${url}: ${error.message}.`)),
      );
      socket.setTimeout(options.connectTimeout, () => {
        reject(new OpenEnvError('TIMEOUT', `${url} did not answer within ${options.connectTimeout / 1000} s.`));
        socket.destroy();
      });
      socket.once('connect', () => {
        stream.connected();
        resolve(stream);
      });
    });
  }

  /** Sends a request and returns its answer. Rejects when the connection is closed, lost, or too slow. */
  request(message: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      if (this.pending.push({ resolve, reject }) === 1) this.socket.ref();
      this.socket.write(framed(message));
    });
  }

  /** Closes the connection; requests under way fail with `reason`. */
  close(reason: unknown = new OpenEnvError('CLOSED', 'The environment was closed.')): void {
    this.fail(reason);
    this.socket.destroy();
  }

  /** As {@link close}, and resolves when the process has closed the connection, too, or after half a second. */
  end(): Promise<void> {
    this.fail(new OpenEnvError('CLOSED', 'The environment was closed.'));
    const { socket } = this;
    return new Promise((resolve) => {
      if (socket.closed) return resolve();
      socket.setTimeout(END, () => socket.destroy());
      socket.once('close', () => resolve()).ref();
      socket.end();
    });
  }

  private connected(): void {
    const { socket, options } = this;
    socket.unref();
    socket.on('error', () => {});
    socket.on('close', () => this.fail(lost(this.url)));
    // The socket's own timer starts anew with all that is sent or received.
    socket.removeAllListeners('timeout').setTimeout(options.messageTimeout, () => {
      if (this.pending.length > 0) this.close(late(this.url, options.messageTimeout));
    });
  }

  /** Takes `count` bytes of `chunk`, which is used again afterwards. Returns `false` to stop reading. */
  private receive(chunk: Buffer, count: number): boolean {
    for (let at = 0; at < count; ) {
      if (!this.message) {
        const taken = Math.min(HEADER - this.headerBytes, count - at);
        chunk.copy(this.header, this.headerBytes, at, (at += taken));
        if ((this.headerBytes += taken) < HEADER) break;
        try {
          this.message = new Uint8Array(lengthOf(this.header, this.url));
        } catch (error) {
          this.close(error);
          return false;
        }
        this.headerBytes = this.messageBytes = 0;
      }
      const taken = Math.min(this.message.length - this.messageBytes, count - at);
      this.message.set(chunk.subarray(at, (at += taken)), this.messageBytes);
      this.messageBytes += taken;
      if (this.messageBytes === this.message.length) this.deliver(this.message);
    }
    return true;
  }

  private deliver(message: Uint8Array): void {
    this.message = undefined;
    const next = this.pending.shift();
    if (this.pending.length === 0) this.socket.unref();
    next?.resolve(message);
  }

  private fail(reason: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = reason;
    for (const { reject } of this.pending.splice(0)) reject(this.failure);
  }
}

/** Returns a message as it is sent: its length as a little-endian u32, then its content. */
function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER + message.length);
  bytes.writeUInt32LE(message.length);
  bytes.set(message, HEADER);
  return bytes;
}

/** Returns the length in a header. Throws `PROTOCOL_ERROR` when it is too large. */
function lengthOf(header: Buffer, url: string): number {
  const length = header.readUInt32LE();
  if (length <= MOST_BYTES) return length;
  throw new OpenEnvError(
    'PROTOCOL_ERROR',
    `The process at ${url} announces a message of ${length} bytes: it does not speak this protocol.`,
  );
}

/** Returns the error of a connection that broke. */
function lost(url: string): OpenEnvError {
  return new OpenEnvError('CONNECTION_LOST', `The connection to the process at ${url} broke. Its games are lost.`);
}

/** Returns the error of an answer that did not come within `timeout` milliseconds. */
function late(url: string, timeout: number): OpenEnvError {
  return new OpenEnvError(
    'TIMEOUT',
    `The process at ${url} did not answer within ${timeout / 1000} s. Its games are lost.`,
  );
}
