import type { Socket } from 'node:net';
import { encodeFrame, FrameReader, type Message, type Part } from './protocol';
import type { SharedFiles } from './remote/sharedFiles';

/** What the kernel says to a request of the worker. */
export interface Answer {
  fields?: Record<string, unknown>;
  parts?: Record<string, Part>;
}

/** Who listens to a worker while a command is at work. */
export interface Listener {
  /** Answers a request of the worker. What it throws ends the command there; it comes back as the command's own error. */
  request?(message: Message): Promise<Answer>;
  /** Takes a message that wants no answer. */
  message?(message: Message): void;
}

/** What a command has beside its fields. */
export interface CommandMore {
  parts?: Record<string, Part>;
  listener?: Listener;
}

/** Milliseconds in which the end of another process is noticed: what the main one says of it can come first. */
const DOUBT = 2000;

/** The worker could not do what it was asked for. */
export class WorkerError extends Error {
  override name = 'WorkerError';

  /** @param kind class of Python's exception */
  constructor(
    message: string,
    readonly kind: string,
  ) {
    super(message);
  }
}

/** The worker has ended, and what its model has learned since it was last saved went with it. */
export class WorkerLost extends Error {
  override name = 'WorkerLost';
}

/**
 * The connection to a worker: one command at a time, which may ask back. Of a
 * worker of several processes all hear what the kernel says; the main one
 * speaks for them.
 */
export class Channel {
  private readonly waiting = new Map<number, { resolve(answer: Message): void; reject(error: Error): void }>();
  private readonly frames = new FrameReader();
  private listener: Listener = {};
  private thrown: unknown;
  private nextId = 1;
  private ended: Error | null = null;
  private isEnding = false;

  /**
   * @param sockets of its processes, the main one's first
   * @param files of this machine, for a worker on another
   */
  constructor(
    private readonly sockets: readonly Socket[],
    private readonly files: SharedFiles | null = null,
  ) {
    for (const socket of sockets) socket.setNoDelay(true).on('error', () => undefined);
    sockets[0].on('data', (piece: Buffer) => this.take(piece));
  }

  /** Processes of the worker. */
  get processes(): number {
    return this.sockets.length;
  }

  /** The error that the connection has ended with; `null` while it lives. */
  get lost(): Error | null {
    return this.ended;
  }

  /**
   * Has the worker do something.
   *
   * @throws WorkerError where it cannot, and what the listener threw
   */
  async command(
    type: string,
    fields: Record<string, unknown> = {},
    { parts, listener = {} }: CommandMore = {},
  ): Promise<Message> {
    if (this.ended) throw this.ended;
    const id = this.nextId++;
    this.listener = listener;
    this.thrown = undefined;
    const answer = await new Promise<Message>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.write({ ...fields, type, id }, parts);
    });
    this.listener = {};
    if (this.thrown !== undefined) throw this.thrown;
    if (typeof answer.error === 'string') throw new WorkerError(answer.error, String(answer.kind));
    return answer;
  }

  /** Asks the command that is at work to end early, as far as it can. */
  cancel(): void {
    this.write({ type: 'cancel' });
  }

  /** One of the processes has ended: what the others say of it is no answer, and {@link end} follows. */
  ending(): void {
    this.isEnding = true;
  }

  /** Ends the connection: everything that waits for an answer fails with `error`. */
  end(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
    for (const socket of this.sockets) socket.destroy();
  }

  private write(message: Message, parts?: Record<string, Part>): void {
    if (this.ended) return;
    this.files?.allow(message);
    const frame = encodeFrame(message, parts);
    for (const socket of this.sockets) socket.write(frame);
  }

  private take(piece: Buffer): void {
    try {
      for (const message of this.frames.push(piece)) this.receive(message);
    } catch (error) {
      this.end(new Error(`The worker sent something that is no message: ${(error as Error).message}`));
    }
  }

  private receive(message: Message): void {
    if (message.type === 'answer') {
      if ('error' in message && this.processes > 1) setTimeout(() => !this.isEnding && this.settle(message), DOUBT);
      else this.settle(message);
    } else if (this.files?.takes(message)) {
      if (message.id !== undefined) void this.answer(message, this.files.answer(message));
    } else if (message.id === undefined || !this.listener.request) this.listener.message?.(message);
    else void this.answer(message, this.listener.request(message));
  }

  private settle(message: Message): void {
    this.waiting.get(message.id!)?.resolve(message);
    this.waiting.delete(message.id!);
  }

  private async answer({ id }: Message, answer: Promise<Answer>): Promise<void> {
    try {
      const { fields = {}, parts } = await answer;
      this.write({ ...fields, type: 'answer', id }, parts);
    } catch (error) {
      this.thrown = error;
      this.write({ type: 'answer', id, error: String((error as Error)?.message ?? error) });
    }
  }
}
