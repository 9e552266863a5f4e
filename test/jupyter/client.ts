import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { Dealer, Subscriber } from 'zeromq';
import { address, type ConnectionInfo } from '../../kernel/jupyter/connection';
import { decode, encode, type Message } from '../../kernel/jupyter/message';
import { Signer } from '../../kernel/jupyter/signature';

const CLI = path.resolve(__dirname, '..', '..', 'kernel', 'cli.js');
/** Milliseconds after which a test that hangs is ended: starting a kernel takes a second on an idle machine. */
const TIMEOUT = 90_000;

/** Code that computes, without a break, until {@link TestKernel.release}. */
export const UNTIL_RELEASED =
  "{ const fs = process.getBuiltinModule('node:fs'); while (!fs.existsSync('released')); fs.rmSync('released'); }";

/** Reply and messages of one execution. */
export interface Execution {
  reply: Message;
  /** iopub messages of this execution, without status and input. */
  outputs: Message[];
  /** Everything on iopub of this execution. */
  all: Message[];
}

export interface ExecuteOptions {
  silent?: boolean;
  store_history?: boolean;
  user_expressions?: Record<string, string>;
  allow_stdin?: boolean;
  stop_on_error?: boolean;
  /** Metadata of the message, in which JupyterLab names the cell that it runs. */
  metadata?: { cellId?: string; deletedCells?: string[] };
}

export interface KernelOptions {
  /** Fields of the connection file that differ from the defaults. */
  connection?: Partial<ConnectionInfo>;
  env?: NodeJS.ProcessEnv;
  /** Another kernel to start, from its connection file. */
  command?: (connectionFile: string) => string[];
}

/** A kernel process and a client of it, for tests: plain ZeroMQ, one process per test file. */
export class TestKernel {
  readonly iopub: Message[] = [];
  readonly replies: Message[] = [];
  private readonly waiting = new Set<() => void>();
  readonly signer: Signer;
  readonly shell: Dealer;
  readonly control: Dealer;
  readonly stdin: Dealer;
  readonly subscriber: Subscriber;
  /** The kernel's log. */
  log = '';

  private constructor(
    readonly process: ChildProcess,
    readonly folder: string,
    readonly connection: ConnectionInfo,
  ) {
    this.signer = new Signer(connection.signature_scheme, connection.key);
    process.stderr!.on('data', (chunk) => (this.log += chunk));
    const routingId = randomUUID();
    const dealer = (port: number) => {
      const socket = new Dealer({ routingId, linger: 0, reconnectInterval: 10 });
      socket.connect(address(connection, port));
      return socket;
    };
    this.shell = dealer(connection.shell_port);
    this.control = dealer(connection.control_port);
    this.stdin = dealer(connection.stdin_port);
    this.subscriber = new Subscriber({ linger: 0, reconnectInterval: 10, receiveHighWaterMark: 0 });
    this.subscriber.connect(address(connection, connection.iopub_port));
    this.subscriber.subscribe('');
    void this.collect(this.subscriber, this.iopub);
    for (const socket of [this.shell, this.control, this.stdin]) void this.collect(socket, this.replies);
  }

  /** Returns a second client of the same kernel. */
  connect(): TestKernel {
    return new TestKernel(this.process, this.folder, this.connection);
  }

  /** Starts a kernel in a new folder; `files` are written into it first. */
  static async start(
    files: Record<string, string> = {},
    { connection: given = {}, env = {}, command }: KernelOptions = {},
  ): Promise<TestKernel> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-kernel-'));
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), text);
    }
    // Our kernel chooses its ports itself: nobody can take them in between.
    const [shell_port, control_port, stdin_port, hb_port, iopub_port] = command ? await freePorts(5) : [0, 0, 0, 0, 0];
    const asked: ConnectionInfo = {
      transport: 'tcp',
      ip: '127.0.0.1',
      shell_port,
      control_port,
      stdin_port,
      hb_port,
      iopub_port,
      key: randomUUID(),
      signature_scheme: 'hmac-sha256',
      ...given,
    };
    const file = path.join(folder, 'connection.json');
    fs.writeFileSync(file, JSON.stringify(asked));
    // A process group of its own, as jupyter_client starts kernels.
    const [program, ...args] = command?.(file) ?? [process.execPath, CLI, 'kernel', file];
    const child = spawn(program, args, {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'pipe'],
      detached: true,
      env: { ...process.env, JOYLAB_HISTORY: path.join(folder, 'history.jsonl'), ...env },
    });
    const kernel = new TestKernel(child, folder, await written(file));
    if (!command)
      await kernel.until(() => kernel.iopub.some(({ header }) => header.msg_type === 'iopub_welcome'), 'iopub_welcome');
    return kernel;
  }

  /** Sends a message; returns its ID. */
  send(
    channel: 'shell' | 'control' | 'stdin',
    type: string,
    content: object,
    buffers: Uint8Array[] = [],
    metadata: object = {},
  ): string {
    const frames = encode(
      { type, content: JSON.stringify(content), metadata: JSON.stringify(metadata), parent: null, buffers },
      [],
      this.signer,
    );
    void this[channel].send(frames);
    return decode(frames, this.signer).header.msg_id;
  }

  async request(channel: 'shell' | 'control', type: string, content: object = {}): Promise<Message> {
    return this.reply(this.send(channel, type, content));
  }

  /** Resolves to the message on a request channel that answers `id`. */
  reply(id: string, type?: string): Promise<Message> {
    return this.find(
      this.replies,
      (it) => it.parentHeader.msg_id === id && (!type || it.header.msg_type === type),
      type ?? 'a reply',
    );
  }

  published(test: (message: Message) => boolean, what: string): Promise<Message> {
    return this.find(this.iopub, test, what);
  }

  async execute(code: string, { metadata, ...options }: ExecuteOptions = {}): Promise<Execution> {
    return this.finish(this.send('shell', 'execute_request', { code, store_history: true, ...options }, [], metadata));
  }

  /** Waits for the end of an execution. */
  async finish(id: string): Promise<Execution> {
    const reply = await this.reply(id, 'execute_reply');
    await this.published((it) => it.parentHeader.msg_id === id && it.content.execution_state === 'idle', 'idle');
    const all = this.iopub.filter((it) => it.parentHeader.msg_id === id);
    return { reply, all, outputs: all.filter(({ header }) => !['status', 'execute_input'].includes(header.msg_type)) };
  }

  /** Runs a cell that must not fail; returns what it printed and the text of its result. */
  async run(code: string): Promise<string> {
    const { reply, outputs } = await this.execute(code);
    if (reply.content.status !== 'ok') throw new Error(plain(reply.content.traceback.join('\n')));
    return text(outputs);
  }

  /** Runs a cell that must fail; returns its traceback without colours. */
  async fail(code: string): Promise<string> {
    const { reply } = await this.execute(code);
    if (reply.content.status !== 'error') throw new Error('The cell did not fail.');
    return plain(reply.content.traceback.join('\n'));
  }

  close(): void {
    for (const socket of [this.shell, this.control, this.stdin, this.subscriber]) socket.close();
  }

  async stop(): Promise<void> {
    this.close();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGTERM');
      await new Promise((resolve) => this.process.once('exit', resolve));
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** Resolves when `test` holds, which is checked after every message. Rejects after {@link TIMEOUT}. */
  async until(test: () => boolean, what: string): Promise<void> {
    if (test()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The kernel did not send ${what} in ${TIMEOUT / 1000} s.${this.lately()}`)),
        TIMEOUT,
      );
      const look = () => {
        if (!test()) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
    });
  }

  /** Returns whether the process lives, its log and its last messages, for errors. */
  private lately(): string {
    const { exitCode, signalCode } = this.process;
    const end = exitCode ?? signalCode;
    const messages = [...this.iopub, ...this.replies]
      .slice(-10)
      .map(({ header, content }) => `${header.msg_type} ${JSON.stringify(content).slice(0, 200)}`);
    return [
      end === null ? '' : ` It ended (${end}).`,
      this.log && `\nIts log:\n${this.log.slice(-4000)}`,
      `\nThe last messages:\n${messages.join('\n')}`,
    ].join('');
  }

  /** Releases code that runs {@link UNTIL_RELEASED}. */
  release(): void {
    fs.writeFileSync(path.join(this.folder, 'released'), '');
  }

  /** Resolves when everything sent on the shell channel has reached the kernel, which may go on computing. */
  async received(): Promise<void> {
    await this.request('shell', 'kernel_info_request');
  }

  private async find(messages: Message[], test: (message: Message) => boolean, what: string): Promise<Message> {
    await this.until(() => messages.some(test), what);
    return messages.find(test)!;
  }

  private async collect(socket: Dealer | Subscriber, into: Message[]): Promise<void> {
    try {
      for await (const frames of socket) {
        into.push(decode(frames, this.signer));
        for (const look of [...this.waiting]) look();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

export const types = (messages: Message[]): string[] => messages.map(({ header }) => header.msg_type);

/** Returns the text of streams, results and displays, in order. */
export function text(outputs: Message[]): string {
  return outputs.map(({ content }) => content.text ?? content.data?.['text/plain'] ?? '').join('');
}

/** Returns a text without ANSI colours. */
export function plain(coloured: string): string {
  return coloured.replace(/\x1b\[[0-9;]*m/g, '');
}

/** Resolves to the connection once all of its ports are known. */
async function written(file: string): Promise<ConnectionInfo> {
  for (let waited = 0; waited < TIMEOUT; waited += 20) {
    const connection = JSON.parse(fs.readFileSync(file, 'utf8') || '{"shell_port":0}') as ConnectionInfo;
    if (connection.shell_port !== 0) return connection;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('The kernel chose no ports.');
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
