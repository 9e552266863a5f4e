import type { Interrupts } from '../interrupt/interrupts';
import type { Header, Message } from '../message';
import { BROKEN_REPLY, COMM_MESSAGES, type ToMain, type ToWire } from '../protocol';
import type { CellOutputs } from './cellOutputs';
import type { History } from './history';
import type { Inputs } from './inputs';
import type { Publisher } from './publisher';
import type { RequestChannel } from './sockets';
import { watchUntaken } from './untaken';

/** Milliseconds that a request other than an execution waits for those before it; then it overtakes them. */
const OVERTAKE_AFTER = 100;

interface Request {
  id: number;
  message: Message;
  channel: RequestChannel;
  /** The time at which the main thread was given it, in ISO 8601; empty before. */
  started: string;
  /** Whether its `busy` and `idle` are published only when the running execution has ended. */
  quiet: boolean;
}

/** The parts of the wire thread that requests need. */
interface Parts {
  publisher: Publisher;
  outputs: CellOutputs;
  history: History;
  inputs: Inputs;
  interrupts: Interrupts;
  interruptFlag: Int32Array;
  /** Sends to the main thread. */
  post(message: ToMain): void;
}

/**
 * The requests that the main thread answers: one after another, each with its
 * status messages.
 *
 * #### Notes
 * Comm messages reach the main thread at once, also while a cell awaits
 * something: live views depend on it. Their status messages follow after the
 * cell's own `idle`, so that front ends go on showing the kernel as busy.
 */
export class Requests {
  private executionCount = 0;
  /** Requests that the main thread works on, by number. */
  private readonly open = new Map<number, Request>();
  private readonly queue: Request[] = [];
  private active: Request | null = null;
  private readonly owedStatus: Header[] = [];
  private nextId = 1;
  private closed = false;

  constructor(private readonly parts: Parts) {}

  /** The header of the request that runs and that later ones wait for; `null` when none runs. */
  get running(): Header | null {
    return this.active?.message.header ?? null;
  }

  /** Returns the request with this number, until it is answered. */
  find(id: number): Message | undefined {
    return this.open.get(id)?.message;
  }

  /** Stops: no request begins from now on. */
  close(): void {
    this.closed = true;
  }

  /** Queues a request for the main thread. */
  enqueue(channel: RequestChannel, message: Message): void {
    if (this.closed) return;
    const request = this.request(channel, message, false);
    this.parts.outputs.expect(message);
    this.queue.push(request);
    this.next();
    if (message.header.msg_type !== 'execute_request' && this.queue.includes(request))
      setTimeout(() => this.overtake(request), OVERTAKE_AFTER);
  }

  /** Gives a comm message to the main thread at once. */
  passComm(channel: RequestChannel, message: Message): void {
    this.dispatch(this.request(channel, message, this.active !== null));
  }

  /** Gives the next request to the main thread, unless one runs. */
  next(): void {
    if (this.active || this.closed || this.parts.interrupts.pending) return;
    const request = this.queue.shift();
    if (!request) return;
    this.active = request;
    this.dispatch(request);
  }

  /** Ends a request with the reply of the main thread. */
  finish(reply: ToWire & { type: 'reply' }): void {
    const request = this.open.get(reply.id);
    if (!request) return;
    const { publisher, inputs, outputs } = this.parts;
    const { message, channel, started } = request;
    const { header } = message;
    this.open.delete(request.id);
    inputs.cancel(({ id }) => id === request.id);
    publisher.streams.flush();
    outputs.end(header.msg_id);
    if (reply.content !== null) {
      const isExecution = header.msg_type === 'execute_request';
      const metadata = isExecution ? JSON.stringify({ started, status: reply.status }) : undefined;
      publisher.reply(channel, message, reply.content, metadata);
    }
    if (!request.quiet) publisher.status('idle', header);
    else this.statusOf(header);
    if (request === this.active) this.executed(request, reply.status);
    else if (!request.quiet) this.restoreBusy();
  }

  /** Publishes the status messages of a message that was handled already, or, while a cell runs, after that cell's own. */
  statusOf(header: Header): void {
    if (this.active) this.owedStatus.push(header);
    else for (const state of ['busy', 'idle'] as const) this.parts.publisher.status(state, header);
  }

  /** Publishes `busy` again after the `idle` of another request, if a cell runs: front ends show the newest status. */
  restoreBusy(): void {
    if (this.active) this.parts.publisher.status('busy', this.active.message.header);
  }

  private request(channel: RequestChannel, message: Message, quiet: boolean): Request {
    return { id: this.nextId++, message, channel, started: '', quiet };
  }

  /** Gives a request to the main thread although a cell runs: completions, inspections and the like do not wait for long ones. */
  private overtake(request: Request): void {
    const index = this.queue.indexOf(request);
    if (index < 0) return;
    this.queue.splice(index, 1);
    this.dispatch(request);
  }

  private dispatch(request: Request): void {
    const { id, quiet } = request;
    const { header, metadata, content, buffers } = request.message;
    request.started = new Date().toISOString();
    this.open.set(id, request);
    if (!quiet) this.parts.publisher.status('busy', header);
    if (header.msg_type === 'execute_request') this.announce(header, content);
    const { executionCount } = this;
    this.parts.post({ type: 'request', id, header, metadata, content, buffers, executionCount });
    if (COMM_MESSAGES[header.msg_type]) return;
    const isOpen = (): boolean => this.open.has(id) && !this.closed;
    watchUntaken(this.parts.interruptFlag, id, isOpen, () => this.giveUp(request));
  }

  /** Counts a cell that is about to run, keeps its input and publishes it. */
  private announce(header: Header, content: Record<string, any>): void {
    if (content.silent === true) return;
    const { history, outputs, publisher } = this.parts;
    const code = typeof content.code === 'string' ? content.code : '';
    if (content.store_history !== false) history.add(++this.executionCount, code);
    outputs.begin(header.msg_id, this.executionCount);
    const input = JSON.stringify({ code, execution_count: this.executionCount });
    publisher.publish({ type: 'execute_input', content: input, parent: header });
  }

  /** Answers a request that the main thread does not take with an error. */
  private giveUp({ id, message }: Request): void {
    if (message.header.msg_type === 'execute_request')
      this.parts.publisher.output({ type: 'error', content: BROKEN_REPLY, parent: message.header });
    this.finish({ type: 'reply', id, content: BROKEN_REPLY, status: 'error' });
  }

  /** Goes on after the request that the others wait for. */
  private executed({ message }: Request, status: string): void {
    this.active = null;
    for (const header of this.owedStatus.splice(0)) this.statusOf(header);
    this.parts.interrupts.cellEnded();
    if (status === 'error' && message.content.stop_on_error !== false) this.abortQueue();
    // Messages that are already on their way here come before the next cell: an interrupt, above all.
    setImmediate(() => this.next());
  }

  /** Answers the executions that were queued behind one that failed with `aborted`. */
  private abortQueue(): void {
    const { outputs, publisher } = this.parts;
    const aborted = this.queue.filter(({ message }) => message.header.msg_type === 'execute_request');
    for (const request of aborted) {
      const { message, channel } = request;
      this.queue.splice(this.queue.indexOf(request), 1);
      outputs.end(message.header.msg_id);
      publisher.status('busy', message.header);
      publisher.reply(channel, message, '{"status":"aborted"}');
      publisher.status('idle', message.header);
    }
  }
}
