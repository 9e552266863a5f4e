import WebSocket from 'ws';
import { OpenEnvError, type OpenEnvErrorCode } from './errors';
import { closingError } from './messages';

/** Options of {@link Channel.open}. All times are in milliseconds. */
export interface ChannelOptions {
  /** Time in which the connection must be made. */
  connectTimeout: number;
  /** Time in which an answer must come, unless the request names another. */
  messageTimeout: number;
  /** Time without traffic after which a ping is sent; 0 for none. Default: 20,000. */
  pingInterval?: number;
  /** Time in which a ping must be answered while no request is pending. Default: 20,000. */
  pingTimeout?: number;
  /** Largest message in bytes. Default: 100 MiB. */
  maxMessageSize?: number;
  /** HTTP headers of the connection. */
  headers?: Record<string, string>;
  /** Closes the channel when aborted; pending requests reject with its reason. */
  signal?: AbortSignal;
  /** Called when the connection breaks. Returns what happened to the server, where that is known. */
  explainLoss?: () => Promise<string | undefined>;
}

/** The longest delay of a timer in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** A request that waits for its answer. */
interface Pending {
  answer(message: string): void;
  reject(error: unknown): void;
  /** Keeps Node.js alive meanwhile. */
  timer?: NodeJS.Timeout;
}

/**
 * A WebSocket on which every request gets one answer, in order.
 *
 * #### Notes
 * An answer that comes too late would be taken for the next one's, so a timeout closes
 * the channel; so does a message that nobody asked for. An idle channel does not keep
 * Node.js alive. Pings keep proxies from cutting an idle connection, and detect a dead
 * one before it is used; while an answer is awaited, its timeout alone decides.
 */
export class Channel {
  /** Last sentence of errors about a lost connection: it says what to do. */
  afterLoss = '';
  private readonly pending: Pending[] = [];
  /** Messages that came before the first request: a greeting, or why the server refuses a session. */
  private readonly early: string[] = [];
  private asked = false;
  private ended: unknown;
  /** The TCP socket, which is unreferenced so that it does not keep Node.js alive. */
  private tcp: { ref(): void; unref(): void } | undefined;
  private keepAlive: NodeJS.Timeout | undefined;
  /** Number of messages and pongs that came, and that number at the last call of {@link ping}. */
  private received = 0;
  private seen = -1;

  private constructor(
    readonly url: string,
    private readonly socket: WebSocket,
    private readonly options: ChannelOptions,
  ) {}

  /** Connects. Rejects with `CONNECTION_FAILED`, `TIMEOUT`, or the signal's reason. */
  static async open(url: string, options: ChannelOptions): Promise<Channel> {
    options.signal?.throwIfAborted();
    const { connectTimeout, maxMessageSize = 100 * 2 ** 20, headers } = options;
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: maxMessageSize,
      handshakeTimeout: connectTimeout,
      headers,
    });
    const channel = new Channel(url, socket, options);
    await channel.connected();
    return channel;
  }

  /** Returns why the channel can no longer be used; `undefined` while it can. */
  get failure(): unknown {
    return this.ended;
  }

  /** Returns whether a request waits for its answer. */
  get busy(): boolean {
    return this.pending.length > 0;
  }

  /**
   * Sends a request and resolves to its answer.
   *
   * @param read converts the answer; what it throws rejects the promise
   * @param timeout milliseconds
   */
  request<Answer>(
    message: string,
    read: (answer: string) => Answer,
    timeout = this.options.messageTimeout,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const answer = (text: string): void => {
        try {
          resolve(read(text));
        } catch (error) {
          reject(error);
        }
      };
      this.asked = true;
      const early = this.early.shift();
      if (early !== undefined) return answer(early);
      if (this.ended !== undefined) return reject(this.ended);
      const request: Pending = { answer, reject };
      request.timer = setTimeout(() => this.late(request, timeout), Math.min(timeout, LONGEST));
      this.pending.push(request);
      this.socket.send(message);
    });
  }

  /** Sends a message that has no answer. */
  notify(message: string): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message);
  }

  /**
   * Closes the connection; pending requests reject with `reason`. Resolves when the
   * server has closed it too, or after a second.
   */
  close(reason: unknown = new OpenEnvError('CLOSED', 'The environment was closed.')): Promise<void> {
    this.fail(reason);
    return new Promise((resolve) => {
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

  private connected(): Promise<void> {
    const { socket, url, options } = this;
    return new Promise((resolve, reject) => {
      socket.on('upgrade', (response) => (this.tcp = response.socket));
      socket.once('open', () => {
        this.tcp?.unref();
        this.listen();
        resolve();
      });
      socket.once('error', (error) => {
        if (options.signal?.aborted) reject(options.signal.reason);
        else if (error.message.includes('handshake has timed out')) {
          reject(new OpenEnvError('TIMEOUT', `${url} did not answer within ${options.connectTimeout / 1000} s.`));
        } else {
          reject(
            new OpenEnvError(
              'CONNECTION_FAILED',
              `No OpenEnv server answers at ${url}: ${error.message || 'connection refused'}.`,
              error,
            ),
          );
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
    this.socket.on('message', (data) => this.deliver(data.toString()));
    this.socket.on('pong', () => this.received++);
    this.socket.on('error', () => {});
    this.socket.on('close', (code, reason) => void this.lost(code, String(reason)));
    const { pingInterval = 20_000 } = this.options;
    if (pingInterval > 0) this.keepAlive = setInterval(() => this.ping(), pingInterval).unref();
  }

  private deliver(message: string): void {
    this.received++;
    const next = this.pending.shift();
    if (!next) return this.unexpected(message);
    clearTimeout(next.timer);
    next.answer(message);
  }

  private unexpected(message: string): void {
    if (!this.asked) return void this.early.push(message);
    this.fail(
      closingError(message) ??
        this.loss(
          'PROTOCOL_ERROR',
          `The server at ${this.url} sent a message that nobody asked for. The session was given up.`,
        ),
    );
    this.socket.close();
  }

  /** Times a request out, but only after messages that came while this thread was computing have been read. */
  private late(request: Pending, timeout: number): void {
    setImmediate(() => setImmediate(() => this.pending.includes(request) && this.timedOut(timeout)));
  }

  private timedOut(timeout: number): void {
    this.fail(
      this.loss(
        'TIMEOUT',
        `The server at ${this.url} did not answer within ${timeout / 1000} s. The session was given up.`,
      ),
    );
    this.socket.terminate();
  }

  /** Sends a ping when nothing came since the last call, and ends the connection when no answer comes. */
  private ping(): void {
    const quiet = this.received === this.seen;
    const { received } = this;
    this.seen = received;
    if (!quiet) return;
    const { pingTimeout = 20_000 } = this.options;
    this.socket.ping();
    const late = (): void => {
      if (this.received !== received || this.busy || this.ended !== undefined) return;
      this.fail(
        this.loss(
          'CONNECTION_LOST',
          `The server at ${this.url} does not answer pings: it is frozen, or the network is cut. The session is lost.`,
        ),
      );
      this.socket.terminate();
    };
    setTimeout(() => setImmediate(() => setImmediate(late)), pingTimeout).unref();
  }

  private async lost(code: number, reason: string): Promise<void> {
    if (this.ended !== undefined) return;
    const refusal = !this.busy && this.early.length > 0 ? closingError(this.early[this.early.length - 1]) : undefined;
    if (refusal) return this.fail(refusal);
    const why = await this.options.explainLoss?.();
    this.fail(
      this.loss(
        'CONNECTION_LOST',
        why ??
          `The connection to ${this.url} broke (WebSocket code ${code}${reason && `, "${reason}"`}). The session is lost.${pingHint(reason)}`,
      ),
    );
  }

  private loss(code: OpenEnvErrorCode, message: string): OpenEnvError {
    return new OpenEnvError(
      code,
      this.afterLoss ? `${message}${message.includes('\n') ? '\n' : ' '}${this.afterLoss}` : message,
    );
  }

  private fail(reason: unknown): void {
    if (this.ended !== undefined) return;
    this.ended = reason ?? new OpenEnvError('CLOSED', 'The connection was closed.');
    this.options.signal?.removeEventListener('abort', this.abort);
    clearInterval(this.keepAlive);
    for (const { reject, timer } of this.pending.splice(0)) {
      clearTimeout(timer);
      reject(this.ended);
    }
  }
}

/** Returns a hint for a connection that the server closed because its pings were not answered; an empty text otherwise. */
function pingHint(reason: string): string {
  return reason.includes('ping')
    ? ' The server had no sign of life from here for too long: code that computes without a pause keeps pings from being answered.'
    : '';
}
