import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { giveAnswer } from './input';
import type { Header, Message } from './message';
import type { ToMain, ToWire, WireOptions } from './protocol';
import { Sockets } from './sockets';
import { StreamBuffer } from './streams';

/** A request other than an execution waits this long behind one, in milliseconds, then overtakes it. */
const OVERTAKE_AFTER = 300;
/** Lines that are logged about messages that the kernel does not take. */
const MAXIMUM_LOG = 20;
/** Time that an interrupted loop has to notice, in milliseconds. */
const SIGNAL_AFTER = 150;
/** Time the main thread has to exit after a shutdown, in milliseconds. */
const EXIT_GRACE = 3000;
/** How often the thread looks whether its parent process still lives, in milliseconds. */
const PARENT_INTERVAL = 1000;

/** Requests that the main thread answers, apart from comm messages. */
const REQUESTS = new Set([
  'execute_request',
  'inspect_request',
  'complete_request',
  'is_complete_request',
  'history_request',
  'comm_info_request',
]);
const COMM_MESSAGES = new Set(['comm_open', 'comm_msg', 'comm_close']);

interface Request {
  id: number;
  message: Message;
  /** Started while an execution was running. */
  overtook: boolean;
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
  /** Requests that the main thread works on, by ID. */
  private readonly open = new Map<number, Request>();
  private readonly queue: Request[] = [];
  private active: Request | null = null;
  private readonly owedStatus: Header[] = [];
  private pendingInput: SharedArrayBuffer | null = null;
  private nextId = 1;
  private closing = false;

  constructor(
    private readonly options: WireOptions,
    private readonly post: (message: ToMain) => void,
  ) {
    this.streams = new StreamBuffer((content, parent) => this.sockets.publish({ type: 'stream', content, parent }));
    this.sockets = new Sockets(options.connection, {
      onMessage: (channel, message) => this.receive(channel, message),
      onDropped: (channel, reason) => log(`dropped a message on ${channel}: ${reason}`),
      onSubscribe: (topic) => this.sockets.publish({ type: 'iopub_welcome', content: JSON.stringify({ subscription: Buffer.from(topic).toString() }), parent: null }, topic),
    });
  }

  async start(): Promise<void> {
    await this.sockets.bind();
    this.status('starting', null);
  }

  private receive(channel: 'shell' | 'control' | 'stdin', message: Message): void {
    const type = message.header.msg_type;
    if (channel === 'stdin') this.receiveInput(message);
    else if (type === 'shutdown_request') this.shutdown(message);
    else if (type === 'interrupt_request') this.interrupt(message);
    else if (type === 'kernel_info_request') this.answer(channel, message, 'kernel_info_reply', this.options.kernelInfo);
    else if (COMM_MESSAGES.has(type)) this.passComm(message);
    else if (REQUESTS.has(type)) this.enqueue({ id: this.nextId++, message, overtook: false, quiet: false });
    else log(`ignored a message of the unknown type "${type}" on ${channel}`);
  }

  /** Answers a request in this thread, whatever the main thread does. */
  private answer(channel: 'shell' | 'control', message: Message, type: string, content: object): void {
    this.status('busy', message.header);
    this.sockets.send(channel, message.identities, { type, content: JSON.stringify(content), parent: message.header });
    this.status('idle', message.header);
    this.restoreBusy();
  }

  private interrupt(message: Message): void {
    this.raiseInterrupt();
    this.sockets.send('control', message.identities, { type: 'interrupt_reply', content: '{"status":"ok"}', parent: message.header });
  }

  /**
   * Stops the running cell. The message reaches code that awaits, the flag
   * loops in cells. SIGINT ends anything synchronous, but hits the next cell
   * where it comes late: it is for code that neither of them reaches.
   */
  private raiseInterrupt(): void {
    const { interruptFlag } = this.options;
    const synchronous = Atomics.load(interruptFlag, 1);
    Atomics.store(interruptFlag, 0, 1);
    this.post({ type: 'interrupt' });
    if (this.pendingInput) giveAnswer(this.pendingInput, null);
    this.pendingInput = null;
    if (synchronous === 0) return;
    setTimeout(() => {
      if (Atomics.load(interruptFlag, 1) === synchronous) process.kill(process.pid, 'SIGINT');
    }, SIGNAL_AFTER);
  }

  private shutdown(message: Message): void {
    const restart = message.content.restart === true;
    const content = JSON.stringify({ status: 'ok', restart });
    this.closing = true;
    this.streams.flush();
    this.sockets.send('control', message.identities, { type: 'shutdown_reply', content, parent: message.header });
    this.sockets.publish({ type: 'shutdown_reply', content, parent: message.header });
    void this.sockets.flushed().then(() => this.exit());
  }

  /** Asks the main thread to exit, and ends the process if it does not. */
  exit(): void {
    this.closing = true;
    this.raiseInterrupt();
    this.post({ type: 'shutdown' });
    // In this thread: the main thread may be busy for ever.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), EXIT_GRACE).unref();
  }

  private async close(closed: Int32Array): Promise<void> {
    this.closing = true;
    clearInterval(parentTimer);
    this.streams.flush();
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
    request.overtook = true;
    this.dispatch(request);
  }

  private next(): void {
    if (this.active || this.closing) return;
    const request = this.queue.shift();
    if (!request) return;
    this.active = request;
    this.dispatch(request);
  }

  private passComm(message: Message): void {
    this.dispatch({ id: this.nextId++, message, overtook: true, quiet: this.active !== null });
  }

  private dispatch(request: Request): void {
    const { header, metadata, content, buffers } = request.message;
    this.open.set(request.id, request);
    if (!request.quiet) this.status('busy', header);
    this.post({ type: 'request', id: request.id, header, metadata, content, buffers });
  }

  /** Handles what the main thread sends. */
  handle(message: ToWire): void {
    if (message.type === 'stream') this.streams.write(message.name, message.text, message.parent);
    else if (message.type === 'publish') {
      const { content, metadata, parent, buffers } = message;
      this.streams.flush();
      this.sockets.publish({ type: message.message, content, metadata, parent, buffers });
    } else if (message.type === 'input') this.requestInput(message);
    else if (message.type === 'close') void this.close(message.closed);
    else this.finish(message);
  }

  private finish(reply: ToWire & { type: 'reply' }): void {
    const request = this.open.get(reply.id);
    if (!request) return;
    this.open.delete(request.id);
    this.streams.flush();
    const { header, identities } = request.message;
    if (reply.content !== null) {
      const type = header.msg_type.replace('_request', '_reply');
      this.sockets.send('shell', identities, { type, content: reply.content, metadata: reply.metadata, parent: header });
    }
    if (request.quiet && this.active) this.owedStatus.push(header);
    else {
      if (request.quiet) this.status('busy', header);
      this.status('idle', header);
    }
    if (request === this.active) {
      this.active = null;
      this.payStatus();
      if (reply.status === 'error' && request.message.content.stop_on_error !== false) this.abortQueue();
      // Messages that are already on their way here come before the next cell: an interrupt, above all.
      setImmediate(() => this.next());
    } else if (!request.quiet) this.restoreBusy();
  }

  /** Executions that were queued behind one that failed are not run. */
  private abortQueue(): void {
    const aborted = this.queue.filter((request) => request.message.header.msg_type === 'execute_request');
    for (const request of aborted) {
      this.queue.splice(this.queue.indexOf(request), 1);
      const { header, identities } = request.message;
      this.status('busy', header);
      this.sockets.send('shell', identities, { type: 'execute_reply', content: '{"status":"aborted"}', parent: header });
      this.status('idle', header);
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

  private requestInput({ id, prompt, password, answer }: ToWire & { type: 'input' }): void {
    const request = this.open.get(id);
    if (!request) return giveAnswer(answer, null);
    this.streams.flush();
    this.pendingInput = answer;
    const { identities, header } = request.message;
    this.sockets.send('stdin', identities, { type: 'input_request', content: JSON.stringify({ prompt, password }), parent: header });
  }

  private receiveInput(message: Message): void {
    if (message.header.msg_type !== 'input_reply' || !this.pendingInput) return;
    giveAnswer(this.pendingInput, String(message.content.value ?? ''));
    this.pendingInput = null;
  }
}

let logged = 0;

/**
 * Writes to the process's standard error itself: the stream of a thread passes
 * the main thread, where it would be taken for a cell's output.
 */
function log(text: string): void {
  if (++logged > MAXIMUM_LOG) return;
  try {
    writeSync(2, `joylab: ${text}${logged === MAXIMUM_LOG ? ' (more of this is not logged)' : ''}\n`);
  } catch {
    // Nobody reads the log: the kernel goes on without it.
  }
}

const port = parentPort!;
const wire = new Wire(workerData as WireOptions, (message) => port.postMessage(message));
port.on('message', (message: ToWire) => wire.handle(message));

/** Ends the kernel when the process that started it is gone. */
const parent = process.ppid;
const parentTimer = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(parentTimer);
  wire.exit();
}, PARENT_INTERVAL);

wire.start().catch((error: Error) => {
  port.postMessage({ type: 'fatal', message: `Cannot open the kernel's sockets: ${error.message}` } satisfies ToMain);
});
