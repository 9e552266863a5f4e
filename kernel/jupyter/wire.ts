import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { CellOutputs } from './cellOutputs';
import { ChildRunner } from './children';
import { writeConnection } from './connection';
import { History } from './history';
import { giveAnswer } from './input';
import { Inputs, type InputRequest } from './inputs';
import { FLAG } from './interruptFlag';
import { Log } from './log';
import type { Header, Message, OutgoingMessage } from './message';
import { OutputsServer } from './outputsServer';
import { watchParent } from './parent';
import { BROKEN_REPLY, COMM_MESSAGES, type Posted, type ToMain, type ToWire, type WireOptions } from './protocol';
import { ReaperWatch } from './reaperWatch';
import { SelfSignal } from './selfSignal';
import { Sockets, type RequestChannel } from './sockets';
import { StreamBuffer } from './streams';
import { watchUntaken } from './untaken';
import { Usage } from './usage';

/** A request other than an execution waits this long behind one, in milliseconds, then overtakes it. */
const OVERTAKE_AFTER = 100;
/** Time that an interrupted loop has to notice, in milliseconds. */
const SIGNAL_AFTER = 150;
/** Time after which the user learns why an interrupted cell goes on, in milliseconds. */
const EXPLAIN_AFTER = 1500;
/** Time the main thread has to exit after a shutdown, in milliseconds. */
const EXIT_GRACE = 3000;
const UNINTERRUPTIBLE =
  'Interrupted, but what computes (a library, a regular expression, eval) cannot be stopped from outside: the cell ends when it returns. To end it now, restart the kernel.\n';

/** Requests that the main thread answers, apart from comm messages. */
const REQUESTS = new Set([
  'execute_request',
  'inspect_request',
  'complete_request',
  'is_complete_request',
  'comm_info_request',
]);

interface Request {
  id: number;
  message: Message;
  channel: RequestChannel;
  /** When it was given to the main thread; empty before. */
  started: string;
  /** Its `busy` and `idle` are published when the running execution has ended. */
  quiet: boolean;
}

/**
 * The kernel's wire thread. It owns the sockets, publishes status, keeps the
 * queue of executions, and passes requests to the main thread one by one.
 *
 * #### Notes
 * Comm messages reach the main thread at once, also while a cell awaits
 * something: live views depend on it. Their status messages follow after the
 * cell's own `idle`, so that front ends go on showing the kernel as busy.
 */
class Wire {
  private readonly sockets: Sockets;
  private readonly streams: StreamBuffer;
  private readonly children = new ChildRunner(new ReaperWatch());
  private readonly outputs = new CellOutputs();
  private readonly outputsServer = new OutputsServer(this.outputs, (content, parent) =>
    this.sockets.publish({ type: 'comm_msg', content, parent }),
  );
  private readonly usage = new Usage();
  readonly history: History;
  private readonly inputs = new Inputs((input, messageId) => this.askFrontEnd(input, messageId));
  private executionCount = 0;
  /** Requests that the main thread works on, by ID. */
  private readonly open = new Map<number, Request>();
  private readonly queue: Request[] = [];
  private active: Request | null = null;
  private readonly owedStatus: Header[] = [];
  private nextId = 1;
  private closing = false;
  private readonly selfSignal: SelfSignal;
  /** Signals that reached this process and no synchronous code of a cell. */
  private signals = 0;

  constructor(
    readonly options: WireOptions,
    private readonly post: (message: ToMain) => void,
    private readonly log: Log,
  ) {
    this.history = new History(options.historyFile);
    this.selfSignal = new SelfSignal(options.interruptFlag, () => this.next());
    this.streams = new StreamBuffer(options.textRing, (content, parent) =>
      this.publish({ type: 'stream', content, parent }),
    );
    this.sockets = new Sockets(options.connection, {
      onMessage: (channel, message) => this.receive(channel, message),
      onDropped: (channel, reason) => log.once(`dropped a message on ${channel}: ${reason}`),
      onSubscribe: (topic) =>
        this.sockets.publish(
          {
            type: 'iopub_welcome',
            content: JSON.stringify({ subscription: Buffer.from(topic).toString() }),
            parent: null,
          },
          topic,
        ),
    });
  }

  async start(): Promise<void> {
    const chosen = await this.sockets.bind();
    if (chosen) writeConnection(this.options.connectionFile, chosen);
    this.status('starting', null);
  }

  private receive(channel: RequestChannel, message: Message): void {
    const type = message.header.msg_type;
    if (channel === 'stdin') return this.inputs.receive(message);
    const immediate = IMMEDIATE[type];
    if (type === 'shutdown_request') this.shutdown(channel, message);
    else if (immediate) this.answer(channel, message, immediate.call(this, message.content));
    else if (COMM_MESSAGES[type]) this.receiveComm(channel, message);
    else if (REQUESTS.has(type)) this.enqueue({ id: this.nextId++, message, channel, started: '', quiet: false });
    else this.log.once(`ignored a message of the unknown type "${type.slice(0, 50)}" on ${channel}`);
  }

  /** Answers a request in this thread, whatever the main thread does. */
  private answer(channel: RequestChannel, message: Message, content: object): void {
    this.status('busy', message.header);
    this.reply(channel, message, JSON.stringify(content));
    this.status('idle', message.header);
    this.restoreBusy();
  }

  private reply(channel: RequestChannel, { header, identities }: Message, content: string, metadata?: string): void {
    const type = header.msg_type.replace('_request', '_reply');
    this.sockets.send(channel, identities, { type, content, metadata, parent: header });
  }

  usageNow(): object {
    return { status: 'ok', ...this.usage.content(this.sockets.dropped, this.signals) };
  }

  ports(): object {
    const { shell_port, iopub_port, stdin_port, control_port, hb_port } = this.options.connection;
    return { status: 'ok', shell_port, iopub_port, stdin_port, control_port, hb_port };
  }

  /**
   * Stops the running cell. The message reaches code that awaits, the flag
   * code of cells that looks at it. SIGINT ends anything synchronous, but comes
   * late on a busy machine: it is for code that neither of them reaches.
   */
  raiseInterrupt(): object {
    const { interruptFlag } = this.options;
    Atomics.add(interruptFlag, FLAG.count, 1);
    Atomics.store(interruptFlag, FLAG.raised, 1);
    // A part that begins after this load sees the flag.
    const synchronous = Atomics.load(interruptFlag, FLAG.part);
    this.post({ type: 'interrupt' });
    this.inputs.cancel();
    this.children.interrupt();
    if (synchronous === 0)
      setTimeout((interrupted: Request | null) => this.explain(interrupted), EXPLAIN_AFTER, this.active).unref();
    else setTimeout(() => this.selfSignal.end(synchronous), SIGNAL_AFTER);
    return { status: 'ok' };
  }

  /** SIGINT has reached this process, and no synchronous code of a cell. */
  onSignal(): void {
    this.signals++;
    if (!this.selfSignal.came()) this.raiseInterrupt();
  }

  /** Says why an interrupted cell goes on; the main thread clears the flag when it can. */
  private explain(interrupted: Request | null): void {
    if (
      !this.active ||
      this.active !== interrupted ||
      this.closing ||
      Atomics.load(this.options.interruptFlag, FLAG.raised) === 0
    )
      return;
    this.streams.flush();
    const content = JSON.stringify({ name: 'stderr', text: UNINTERRUPTIBLE });
    this.publish({ type: 'stream', content, parent: this.active.message.header });
  }

  private shutdown(channel: RequestChannel, message: Message): void {
    const content = JSON.stringify({ status: 'ok', restart: message.content.restart === true });
    this.closing = true;
    this.status('busy', message.header);
    this.reply(channel, message, content);
    this.sockets.publish({ type: 'shutdown_reply', content, parent: message.header });
    this.status('idle', message.header);
    void this.sockets.flushed().then(() => this.exit());
  }

  /** Asks the main thread to exit, and ends the process if it does not. */
  exit(): void {
    this.closing = true;
    this.raiseInterrupt();
    this.post({ type: 'shutdown' });
    // In this thread: the main thread may be busy for ever.
    setTimeout(() => {
      this.children.kill();
      process.kill(process.pid, 'SIGKILL');
    }, EXIT_GRACE).unref();
  }

  private async close(closed: Int32Array): Promise<void> {
    this.closing = true;
    this.children.kill();
    this.streams.flush();
    if (this.sockets.dropped > 0) this.log.write(`${this.sockets.dropped} messages were dropped in all`);
    await this.sockets.flushed();
    this.sockets.close();
    port.close();
    // What waits for messages learns first that its socket is closed.
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.store(closed, 0, 1);
    Atomics.notify(closed, 0);
  }

  private enqueue(request: Request): void {
    if (this.closing) return;
    this.outputs.expect(request.message);
    this.queue.push(request);
    this.next();
    if (request.message.header.msg_type !== 'execute_request' && this.queue.includes(request)) {
      setTimeout(() => this.overtake(request), OVERTAKE_AFTER);
    }
  }

  /** Completions, inspections and the like do not wait for a cell that runs long. */
  private overtake(request: Request): void {
    const index = this.queue.indexOf(request);
    if (index < 0) return;
    this.queue.splice(index, 1);
    this.dispatch(request);
  }

  private next(): void {
    if (this.active || this.closing || this.selfSignal.pending) return;
    const request = this.queue.shift();
    if (!request) return;
    this.active = request;
    this.dispatch(request);
  }

  /** Outputs are told by this thread, also while the main thread computes. */
  private receiveComm(channel: RequestChannel, message: Message): void {
    if (!this.outputsServer.knows(message))
      return this.dispatch({ id: this.nextId++, message, channel, started: '', quiet: this.active !== null });
    this.streams.flush();
    this.outputsServer.receive(message);
    if (this.active) this.owedStatus.push(message.header);
    else for (const state of ['busy', 'idle'] as const) this.status(state, message.header);
  }

  private dispatch(request: Request): void {
    const { header, metadata, content, buffers } = request.message;
    request.started = new Date().toISOString();
    this.open.set(request.id, request);
    if (!request.quiet) this.status('busy', header);
    if (header.msg_type === 'execute_request') this.announce(header, content);
    this.post({
      type: 'request',
      id: request.id,
      header,
      metadata,
      content,
      buffers,
      executionCount: this.executionCount,
    });
    if (!COMM_MESSAGES[header.msg_type])
      watchUntaken(
        this.options.interruptFlag,
        request.id,
        () => this.open.has(request.id) && !this.closing,
        () => this.giveUp(request),
      );
  }

  private giveUp({ id, message }: Request): void {
    if (message.header.msg_type === 'execute_request')
      this.publish({ type: 'error', content: BROKEN_REPLY, parent: message.header });
    this.finish({ type: 'reply', id, content: BROKEN_REPLY, status: 'error' });
  }

  /** Counts a cell that is about to run, keeps its input and publishes it. */
  private announce(header: Header, content: Record<string, any>): void {
    if (content.silent === true) return;
    const code = typeof content.code === 'string' ? content.code : '';
    if (content.store_history !== false) this.history.add(++this.executionCount, code);
    this.outputs.begin(header.msg_id, this.executionCount);
    const input = JSON.stringify({ code, execution_count: this.executionCount });
    this.sockets.publish({ type: 'execute_input', content: input, parent: header });
  }

  /** Handles what the main thread sends. */
  handle({ message, position }: Posted): void {
    this.streams.before(position);
    if (message.type === 'text') this.streams.wake();
    else if (message.type === 'stream') {
      this.streams.begin(message);
      this.streams.append(message.text);
    } else if (message.type === 'publish') {
      this.streams.flush();
      this.publish({ ...message, type: message.message });
    } else if (message.type === 'input') this.requestInput(message);
    else if (message.type === 'withdraw') this.inputs.cancel(({ input }) => input === message.input);
    else if (message.type === 'child') this.runChild(message);
    else if (message.type === 'close') void this.close(message.closed);
    else this.finish(message);
    this.streams.after();
  }

  /** Publishes what may be a cell's output: it is kept. */
  private publish(message: OutgoingMessage): void {
    this.sockets.publish(this.outputs.kept(message));
  }

  private runChild({ child, back, parent }: ToWire & { type: 'child' }): void {
    this.children.run(child, back, (name, text) => {
      this.streams.begin({ name, parent });
      this.streams.append(text);
    });
  }

  private finish(reply: ToWire & { type: 'reply' }): void {
    const request = this.open.get(reply.id);
    if (!request) return;
    this.open.delete(request.id);
    this.inputs.cancel(({ id }) => id === request.id);
    this.streams.flush();
    const { message, channel, started } = request;
    const { header } = message;
    this.outputs.end(header.msg_id);
    if (reply.content !== null) {
      const metadata =
        header.msg_type === 'execute_request' ? JSON.stringify({ started, status: reply.status }) : undefined;
      this.reply(channel, message, reply.content, metadata);
    }
    if (request.quiet && this.active) this.owedStatus.push(header);
    else {
      if (request.quiet) this.status('busy', header);
      this.status('idle', header);
    }
    if (request === this.active) {
      this.active = null;
      this.payStatus();
      this.selfSignal.cellEnded();
      if (reply.status === 'error' && message.content.stop_on_error !== false) this.abortQueue();
      // Messages that are already on their way here come before the next cell: an interrupt, above all.
      setImmediate(() => this.next());
    } else if (!request.quiet) this.restoreBusy();
  }

  /** Executions that were queued behind one that failed are not run. */
  private abortQueue(): void {
    const aborted = this.queue.filter((request) => request.message.header.msg_type === 'execute_request');
    for (const request of aborted) {
      this.queue.splice(this.queue.indexOf(request), 1);
      const { message, channel } = request;
      this.outputs.end(message.header.msg_id);
      this.status('busy', message.header);
      this.reply(channel, message, '{"status":"aborted"}');
      this.status('idle', message.header);
    }
  }

  private payStatus(): void {
    for (const header of this.owedStatus.splice(0)) {
      this.status('busy', header);
      this.status('idle', header);
    }
  }

  private status(state: 'starting' | 'busy' | 'idle', parent: Header | null): void {
    this.streams.flush();
    this.sockets.publish({ type: 'status', content: JSON.stringify({ execution_state: state }), parent });
  }

  /** After the `idle` of another request: front ends go by the newest status, and a cell is still running. */
  private restoreBusy(): void {
    if (this.active) this.status('busy', this.active.message.header);
  }

  private requestInput({ answer, ...request }: ToWire & { type: 'input' }): void {
    const give = (text: string | null): void =>
      answer ? giveAnswer(answer, text) : this.post({ type: 'answer', input: request.input, text });
    this.inputs.request({ ...request, give });
  }

  private askFrontEnd({ id, prompt, password }: InputRequest, messageId: string): boolean {
    const request = this.open.get(id);
    if (!request) return false;
    this.streams.flush();
    const { identities, header } = request.message;
    this.sockets.send('stdin', identities, {
      id: messageId,
      type: 'input_request',
      content: JSON.stringify({ prompt, password }),
      parent: header,
    });
    return true;
  }
}

/** Requests that this thread answers by itself, with the contents of their replies. */
const IMMEDIATE: Record<string, (this: Wire, content: Record<string, any>) => object> = {
  // A null prototype: the type comes from outside.
  __proto__: null as never,
  kernel_info_request() {
    return this.options.kernelInfo;
  },
  history_request(content) {
    return this.history.reply(content);
  },
  connect_request() {
    return this.ports();
  },
  usage_request() {
    return this.usageNow();
  },
  interrupt_request() {
    return this.raiseInterrupt();
  },
  // An answer of the Debug Adapter Protocol: clients that ask must not wait for ever.
  debug_request({ seq = 0, command = '' }) {
    return { type: 'response', request_seq: seq, success: false, command, message: 'This kernel has no debugger.' };
  },
};

const port = parentPort!;
const options = workerData as WireOptions;
const log = new Log();
const wire = new Wire(options, (message) => port.postMessage(message), log);
port.on('message', (posted: Posted) => wire.handle(posted));

const signals = new Worker(join(__dirname, 'signals.js'));
signals.on('message', (message) => message === 'SIGINT' && wire.onSignal());
signals.unref();

watchParent(() => wire.exit());

wire.start().catch((error: Error) => {
  port.postMessage({ type: 'fatal', message: error.message } satisfies ToMain);
});
