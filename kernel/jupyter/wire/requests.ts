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

/** Milliseconds within which executions arrive that a front end has sent together: they run in their order. */
const TOGETHER = 1000;

interface Request {
  id: number;
  message: Message;
  channel: RequestChannel;
  /** The time at which it arrived, in milliseconds. */
  arrived: number;
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
 * cell's own `idle`, so that front ends go on showing the kernel as busy. Those
 * of Jupyter's widgets come at once: a widget sends nothing more before `idle`.
 *
 * An execution may run beside the active one, where that admits it: a reward
 * cell while a model trains. The user has then run it because of what runs,
 * and not together with it ("Run All").
 */
export class Requests {
  private executionCount = 0;
  /** Requests that the main thread works on, by number. */
  private readonly open = new Map<number, Request>();
  private readonly queue: Request[] = [];
  private active: Request | null = null;
  /** The execution that runs beside the active one. */
  private beside: Request | null = null;
  /** Number of the execution that admits others beside it. */
  private admitting: number | null = null;
  private readonly owedStatus: Header[] = [];
  private nextId = 1;
  private closed = false;

  constructor(private readonly parts: Parts) {}

  /** The header of the request that runs and that later ones wait for; `null` when none runs. */
  get running(): Header | null {
    return (this.active ?? this.beside)?.message.header ?? null;
  }

  /** Whether what runs admits others beside it: it trains. */
  get trains(): boolean {
    return this.active !== null && this.active.id === this.admitting;
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
    if (isExecution(request)) this.askBeside();
    else if (this.queue.includes(request)) setTimeout(() => this.overtake(request), OVERTAKE_AFTER);
  }

  /** Takes notice that an execution admits others beside it, or no longer. */
  admits({ id, on }: ToWire & { type: 'admits' }): void {
    if (on) this.admitting = id;
    else if (this.admitting === id) this.admitting = null;
    this.askBeside();
  }

  /** Gives the main thread a queued execution to run beside the active one. */
  admitted({ id }: ToWire & { type: 'admitted' }): void {
    const request = this.nextBeside();
    if (request?.id !== id) return;
    this.queue.splice(this.queue.indexOf(request), 1);
    this.beside = request;
    this.dispatch(request);
  }

  /** Asks the main thread whether the next execution may run beside the active one. */
  private askBeside(): void {
    const request = this.nextBeside();
    if (request) this.parts.post({ type: 'admit', id: request.id, code: codeOf(request.message.content) });
  }

  /** Returns the next execution, if it could run beside the active one. */
  private nextBeside(): Request | undefined {
    const { active, beside } = this;
    if (!active || beside || active.id !== this.admitting || this.closed || this.parts.interrupts.pending) return;
    const next = this.queue.find(isExecution);
    return next && !areTogether(active, next) ? next : undefined;
  }

  /** Gives a comm message to the main thread at once. */
  passComm(channel: RequestChannel, message: Message): void {
    this.dispatch(this.request(channel, message, this.active !== null && !isOfWidget(message)));
  }

  /** Gives the next request to the main thread, unless one runs. */
  next(): void {
    if (this.active) return this.askBeside();
    if (this.beside || this.closed || this.parts.interrupts.pending) return;
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
    else if (request === this.beside) this.executedBeside();
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
    return { id: this.nextId++, message, channel, arrived: performance.now(), started: '', quiet };
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
    const beside = request === this.beside;
    this.parts.post({ type: 'request', id, header, metadata, content, buffers, executionCount, beside });
    if (COMM_MESSAGES[header.msg_type]) return;
    const isOpen = (): boolean => this.open.has(id) && !this.closed;
    watchUntaken(this.parts.interruptFlag, id, isOpen, () => this.giveUp(request));
  }

  /** Counts a cell that is about to run, keeps its input and publishes it. */
  private announce(header: Header, content: Record<string, any>): void {
    if (content.silent === true) return;
    const { history, outputs, publisher } = this.parts;
    const code = codeOf(content);
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
  private executed(active: Request, status: string): void {
    const { message } = active;
    this.active = null;
    for (const header of this.owedStatus.splice(0)) this.statusOf(header);
    this.parts.interrupts.cellEnded();
    if (status === 'error' && message.content.stop_on_error !== false) this.abortQueue(active);
    // Messages that are already on their way here come before the next cell: an interrupt, above all.
    setImmediate(() => this.next());
  }

  /** Goes on after the execution that ran beside another. */
  private executedBeside(): void {
    this.beside = null;
    this.parts.interrupts.cellEnded();
    this.restoreBusy();
    setImmediate(() => this.next());
  }

  /** Answers the executions that were queued behind one that failed with `aborted`. */
  private abortQueue(failed: Request): void {
    const { outputs, publisher } = this.parts;
    for (const request of this.queue.filter(isExecution)) {
      const { message, channel } = request;
      this.queue.splice(this.queue.indexOf(request), 1);
      outputs.end(message.header.msg_id);
      publisher.status('busy', message.header);
      // Of those that were run together, as by "Run All", each would say so.
      if (!areTogether(failed, request) && message.content.silent !== true)
        publisher.output({ type: 'stream', content: NOT_RUN, parent: message.header });
      publisher.reply(channel, message, '{"status":"aborted"}');
      publisher.status('idle', message.header);
    }
  }
}

const NOT_RUN = JSON.stringify({
  name: 'stderr',
  text: 'This cell did not run: the one that it waited for was interrupted, or failed. Run it again.\n',
});

function isExecution({ message }: Request): boolean {
  return message.header.msg_type === 'execute_request';
}

/** Returns whether a comm message is one of the protocol of Jupyter's widgets. */
function isOfWidget({ content }: Message): boolean {
  return typeof content.data?.method === 'string';
}

/** Returns whether a front end has probably sent two executions together. */
function areTogether(first: Request, second: Request): boolean {
  return second.arrived - first.arrived < TOGETHER;
}

function codeOf({ code }: Record<string, any>): string {
  return typeof code === 'string' ? code : '';
}
