import * as fs from 'node:fs';
import { OpenEnvError } from '../../../openenv/errors';
import { framed, HEADER, late, lengthOf, lost } from './framing';
import { blocked, wasNotified, type WaitCells } from '../../../common/threads/blockedThread';
import { Stream } from './stream';

/** Where a process of this machine has the ends of its pipes that are meant for us. */
export interface PipeAddress {
  pid: number;
  requests: number;
  answers: number;
}

/** Options of {@link Pipes.open}. */
export interface PipeOptions {
  /** Of the process, for messages. */
  url: string;
  /** Milliseconds for each answer, for messages: the thread's `BlockedThread` sees to it. */
  messageTimeout: number;
  wait: WaitCells;
}

/** Bytes that are read at a time. */
const READ_BYTES = 2 ** 16;
/** Milliseconds after which the rest of the thread has its turn. */
const TURN = 10;

/** What this thread reads into. One message is read at a time. */
let readInto: Buffer | undefined;
/** When this thread last had time for anything else. */
let turnAt = performance.now();

/**
 * Two pipes to a process of this machine, on which every request gets one
 * answer. The thread is blocked until the answer is there: that takes a quarter of
 * the time of a `Stream`, and is for threads that have nothing else to do.
 */
export class Pipes {
  private failure: unknown;

  private constructor(
    private readonly requests: number,
    private readonly answers: number,
    private readonly options: PipeOptions,
  ) {}

  /** Opens the pipes at an address; nothing where this process may not, or where there are none. */
  static open({ pid, requests, answers }: PipeAddress, options: PipeOptions): Pipes | undefined {
    const { O_RDONLY, O_WRONLY } = fs.constants;
    const ends: number[] = [];
    try {
      ends.push(fs.openSync(`/proc/${pid}/fd/${requests}`, O_WRONLY));
      ends.push(fs.openSync(`/proc/${pid}/fd/${answers}`, O_RDONLY));
      if (ends.every((end) => fs.fstatSync(end).isFIFO())) return new Pipes(ends[0], ends[1], options);
    } catch {
      // It is another user's, or gone.
    }
    ends.forEach((end) => fs.closeSync(end));
    return undefined;
  }

  /** Sends a request and waits for its answer. One at a time; what others of this thread ask of other processes is sent before it blocks. */
  async request(message: Uint8Array): Promise<Uint8Array> {
    if (this.failure) throw this.failure;
    try {
      return await this.exchange(framed(message));
    } catch (error) {
      // What the system says of a pipe is that the other side is gone.
      const reason = (error as NodeJS.ErrnoException).syscall ? lost(this.options.url) : error;
      this.close(reason);
      throw reason;
    }
  }

  /** Closes the pipes. */
  close(reason: unknown = new OpenEnvError('CLOSED', 'The environment was closed.')): void {
    if (this.failure) return;
    this.failure = reason;
    fs.closeSync(this.requests);
    fs.closeSync(this.answers);
  }

  private async exchange(request: Buffer): Promise<Uint8Array> {
    for (let at = 0; at < request.length; ) at += fs.writeSync(this.requests, request, at);
    await othersTurn();
    if (this.failure) throw this.failure;
    return blocked(this.options.wait, this.answers, () => this.receive());
  }

  private receive(): Uint8Array {
    const chunk = (readInto ??= Buffer.alloc(READ_BYTES));
    let count = 0;
    while (count < HEADER) count += this.read(chunk, count);
    const message = new Uint8Array(lengthOf(chunk, this.options.url));
    message.set(chunk.subarray(HEADER, Math.min(count, HEADER + message.length)));
    for (let at = count - HEADER; at < message.length; ) at += this.read(message, at);
    return message;
  }

  private read(into: Uint8Array, at: number): number {
    const { url, messageTimeout, wait } = this.options;
    // A thread that was notified once waits no more.
    const count = wasNotified(wait) ? 0 : fs.readSync(this.answers, into, at, into.length - at, null);
    if (wasNotified(wait)) throw late(url, messageTimeout);
    if (count === 0) throw lost(url);
    return count;
  }
}

/** Lets the rest of the thread go on, until it waits too: where others play, whose requests are then sent before the thread blocks, and at times in any case. */
function othersTurn(): Promise<void> | undefined {
  const now = performance.now();
  // These pipes have a stream of their own.
  if (Stream.open === 1 && now - turnAt < TURN) return undefined;
  turnAt = now;
  return new Promise((resolve) => setImmediate(resolve));
}
