import { Interrupts, type RunningCell } from '../interrupt/interrupts';
import { giveAnswer } from '../input';
import { writeConnection } from '../connection';
import type { Message } from '../message';
import { COMM_MESSAGES, type Posted, type ToMain, type ToWire, type WireOptions } from '../protocol';
import { CellOutputs } from './cellOutputs';
import { ChildRunner } from './childRunner';
import { History } from './history';
import { Inputs, type InputRequest } from './inputs';
import type { Log } from './log';
import { OutputsServer } from './outputsServer';
import { Publisher } from './publisher';
import { ReaperWatch } from './reaperWatch';
import { Requests } from './requests';
import { Sockets, type RequestChannel } from './sockets';
import { Usage } from './usage';

/** Milliseconds that the main thread has to exit after a shutdown. */
const EXIT_GRACE = 3000;

/** Requests that the main thread answers, apart from comm messages. */
const REQUESTS = new Set([
  'execute_request',
  'inspect_request',
  'complete_request',
  'is_complete_request',
  'comm_info_request',
]);

/**
 * The wire thread's side of the protocol. It owns the sockets, answers by
 * itself what it can, and passes the rest to the main thread: see requests.ts.
 */
export class Wire {
  private readonly sockets: Sockets;
  private readonly publisher: Publisher;
  private readonly requests: Requests;
  private readonly interrupts: Interrupts;
  private readonly children = new ChildRunner(new ReaperWatch());
  private readonly outputs = new CellOutputs();
  private readonly outputsServer: OutputsServer;
  private readonly usage = new Usage();
  private readonly history: History;
  private readonly inputs = new Inputs((input, messageId) => this.askFrontEnd(input, messageId));
  private closing = false;

  /** @param port the port to the main thread */
  constructor(
    private readonly options: WireOptions,
    private readonly port: { postMessage(message: ToMain): void; close(): void },
    private readonly log: Log,
  ) {
    const { connection, historyFile, interruptFlag, textRing } = options;
    this.history = new History(historyFile);
    this.sockets = new Sockets(connection, {
      onMessage: (channel, message) => this.receive(channel, message),
      onDropped: (channel, reason) => log.once(`dropped a message on ${channel}: ${reason}`),
      onSubscribe: (topic) => this.welcome(topic),
    });
    this.publisher = new Publisher(this.sockets, this.outputs, textRing);
    this.outputsServer = new OutputsServer(this.outputs, (content, parent) =>
      this.publisher.publish({ type: 'comm_msg', content, parent }),
    );
    this.interrupts = new Interrupts(interruptFlag, {
      cancel: () => this.cancel(),
      runningCell: () => this.runningCell(),
      settled: () => this.requests.next(),
    });
    const { outputs, publisher, history, inputs, interrupts } = this;
    const post = (message: ToMain): void => port.postMessage(message);
    this.requests = new Requests({ publisher, outputs, history, inputs, interrupts, interruptFlag, post });
  }

  async start(): Promise<void> {
    const chosen = await this.sockets.bind();
    if (chosen) writeConnection(this.options.connectionFile, chosen);
    this.publisher.status('starting', null);
  }

  /** Handles a SIGINT that reached this process and ended no synchronous code of a cell. */
  onSignal(): void {
    this.interrupts.onSignal();
  }

  private welcome(topic: Uint8Array): void {
    const content = JSON.stringify({ subscription: Buffer.from(topic).toString() });
    this.sockets.publish({ type: 'iopub_welcome', content, parent: null }, topic);
  }

  private receive(channel: RequestChannel, message: Message): void {
    const type = message.header.msg_type;
    if (channel === 'stdin') return this.inputs.receive(message);
    const immediate = this.immediate[type];
    if (type === 'shutdown_request') this.shutdown(channel, message);
    else if (immediate) this.answer(channel, message, immediate(message.content));
    else if (COMM_MESSAGES[type]) this.receiveComm(channel, message);
    else if (REQUESTS.has(type)) this.requests.enqueue(channel, message);
    else this.log.once(`ignored a message of the unknown type "${type.slice(0, 50)}" on ${channel}`);
  }

  /** Requests that this thread answers by itself; the functions return the contents of their replies. */
  private readonly immediate: Record<string, (content: Record<string, any>) => object> = {
    // A null prototype: the type comes from outside.
    __proto__: null as never,
    kernel_info_request: () => this.options.kernelInfo,
    history_request: (content) => this.history.reply(content),
    connect_request: () => {
      const { shell_port, iopub_port, stdin_port, control_port, hb_port } = this.options.connection;
      return { status: 'ok', shell_port, iopub_port, stdin_port, control_port, hb_port };
    },
    usage_request: () => ({
      status: 'ok',
      ...this.usage.content(this.sockets.dropped, this.interrupts.signals),
    }),
    interrupt_request: () => {
      this.interrupts.raise();
      return { status: 'ok' };
    },
    // A response of the Debug Adapter Protocol, so that clients that ask do not wait forever.
    debug_request: ({ seq = 0, command = '' }) => ({
      type: 'response',
      request_seq: seq,
      success: false,
      command,
      message: 'This kernel has no debugger.',
    }),
  };

  /** Answers a request in this thread, whatever the main thread does. */
  private answer(channel: RequestChannel, message: Message, content: object): void {
    this.publisher.status('busy', message.header);
    this.publisher.reply(channel, message, JSON.stringify(content));
    this.publisher.status('idle', message.header);
    this.requests.restoreBusy();
  }

  /** Answers pages that ask for outputs, also while the main thread computes; passes other comm messages on. */
  private receiveComm(channel: RequestChannel, message: Message): void {
    if (!this.outputsServer.knows(message)) return this.requests.passComm(channel, message);
    this.publisher.streams.flush();
    this.outputsServer.receive(message);
    this.requests.statusOf(message.header);
  }

  /** Handles a message of the main thread. */
  handle({ message, position }: Posted): void {
    const { streams } = this.publisher;
    streams.before(position);
    if (message.type === 'text') streams.wake();
    else if (message.type === 'stream') {
      streams.begin(message);
      streams.append(message.text);
    } else if (message.type === 'publish') {
      streams.flush();
      this.publisher.output({ ...message, type: message.message });
    } else if (message.type === 'input') this.requestInput(message);
    else if (message.type === 'withdraw') this.inputs.cancel(({ input }) => input === message.input);
    else if (message.type === 'child') this.runChild(message);
    else if (message.type === 'admits') this.requests.admits(message);
    else if (message.type === 'admitted') this.requests.admitted(message);
    else if (message.type === 'close') void this.close(message.closed);
    else this.requests.finish(message);
    streams.after();
  }

  private runChild({ child, back, parent }: ToWire & { type: 'child' }): void {
    this.children.run(child, back, (name, text) => {
      this.publisher.streams.begin({ name, parent });
      this.publisher.streams.append(text);
    });
  }

  private requestInput({ answer, ...request }: ToWire & { type: 'input' }): void {
    const give = (text: string | null): void =>
      answer ? giveAnswer(answer, text) : this.port.postMessage({ type: 'answer', input: request.input, text });
    this.inputs.request({ ...request, give });
  }

  private askFrontEnd({ id, prompt, password }: InputRequest, messageId: string): boolean {
    const request = this.requests.find(id);
    if (!request) return false;
    this.publisher.streams.flush();
    const content = JSON.stringify({ prompt, password });
    const message = { id: messageId, type: 'input_request', content, parent: request.header };
    this.sockets.send('stdin', request.identities, message);
    return true;
  }

  private cancel(): void {
    this.port.postMessage({ type: 'interrupt' });
    this.inputs.cancel();
    this.children.interrupt();
  }

  private runningCell(): RunningCell | null {
    const { running: parent, trains } = this.requests;
    if (!parent) return null;
    const show = (name: 'stdout' | 'stderr', text: string): void => {
      if (this.requests.running !== parent || this.closing) return;
      this.publisher.streams.flush();
      this.publisher.output({ type: 'stream', content: JSON.stringify({ name, text }), parent });
    };
    return { trains, show };
  }

  private shutdown(channel: RequestChannel, message: Message): void {
    const { publisher, sockets } = this;
    const content = JSON.stringify({ status: 'ok', restart: message.content.restart === true });
    this.stopRequests();
    publisher.status('busy', message.header);
    publisher.reply(channel, message, content);
    publisher.publish({ type: 'shutdown_reply', content, parent: message.header });
    publisher.status('idle', message.header);
    void sockets.flushed().then(() => this.exit());
  }

  /** Asks the main thread to exit, and ends the process if it does not. */
  exit(): void {
    this.stopRequests();
    this.interrupts.raise();
    this.port.postMessage({ type: 'shutdown' });
    // In this thread: the main thread may be busy for ever.
    setTimeout(() => {
      this.children.kill();
      process.kill(process.pid, 'SIGKILL');
    }, EXIT_GRACE).unref();
  }

  private async close(closed: Int32Array): Promise<void> {
    this.stopRequests();
    this.children.kill();
    this.publisher.streams.flush();
    if (this.sockets.dropped > 0) this.log.write(`${this.sockets.dropped} messages were dropped in all`);
    await this.sockets.flushed();
    this.sockets.close();
    this.port.close();
    // The loops that wait for messages end first.
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.store(closed, 0, 1);
    Atomics.notify(closed, 0);
  }

  private stopRequests(): void {
    this.closing = true;
    this.requests.close();
  }
}
