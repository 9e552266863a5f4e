import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../common/packagePaths';
import { Channel } from './channel';
import { FrameReader, VERSION } from './protocol';

/** How a worker is started. */
export interface WorkerOptions {
  /** What runs Python: `['/usr/bin/python3']`, or `['accelerate', 'launch', '--num_processes', '2']`. */
  command: readonly string[];
  /** Environment variables beside those of this process. */
  env?: Record<string, string>;
  /** Takes each line that the worker writes. */
  onLine?(line: string): void;
  signal: AbortSignal;
}

/** A worker whose processes have said who they are. */
interface Connected {
  /** By rank. */
  sockets: Socket[];
  /** Of the main process. */
  pid: number;
}

/** Lines that are kept of what the worker wrote, for the error when it ends. */
const KEPT_LINES = 30;
/** Milliseconds in which the end of a process is noticed after that of its connection. */
const END_WITHIN = 1000;
const LOST = 'The connection to the worker that holds the model was lost.';
/** Milliseconds that Python has to connect. */
const CONNECT_WITHIN = 180_000;

/**
 * A Python process that holds a model. It ends when its connection does, and
 * its guardian ends whatever is left of it: so nothing outlives the kernel,
 * however that ends.
 */
export class Worker {
  private constructor(
    private readonly child: ChildProcess,
    /** Of the process that holds the model; of several, the main one. */
    readonly pid: number,
    readonly channel: Channel,
  ) {}

  /**
   * Starts a worker and waits until it has connected.
   *
   * @throws where it does not come to that, with the end of what it wrote; the signal's reason when aborted
   */
  static async start({ command, env = {}, onLine, signal }: WorkerOptions): Promise<Worker> {
    const token = randomBytes(32).toString('hex');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const child = spawnGuarded([...command, '-m', 'joylab_worker'], {
      ...env,
      PYTHONPATH: [join(packageRoot, 'kernel', 'engines', 'trl'), process.env.PYTHONPATH]
        .filter(Boolean)
        .join(delimiter),
      PYTHONUNBUFFERED: '1',
      TOKENIZERS_PARALLELISM: 'false',
      JOYLAB_WORKER_ADDRESS: `127.0.0.1:${port}`,
      JOYLAB_WORKER_TOKEN: token,
    });
    const lines = keptLines(child, onLine);
    const ended = endOf(child, lines);
    try {
      const { sockets, pid } = await firstOf(ended, signal, connections(server, token));
      const worker = new Worker(child, pid, new Channel(sockets));
      ended.catch((error) => worker.channel.end(error));
      // What the process wrote says more, where it is the process that has ended.
      for (const socket of sockets)
        socket.once('close', () => setTimeout(() => worker.channel.end(new Error(LOST)), END_WITHIN).unref());
      return worker;
    } catch (error) {
      child.stdin!.end();
      throw error;
    } finally {
      server.close();
    }
  }

  /** Ends the process and all that it started. What waits for it fails. */
  async close(): Promise<void> {
    this.channel.end(new Error('The worker that held the model was closed.'));
    const { child } = this;
    child.stdin!.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

/** Starts a program that ends, with all that it started, when this process does. */
function spawnGuarded([command, ...args]: string[], env: Record<string, string>): ChildProcess {
  const guardian = join(__dirname, '..', '..', 'openenv', 'launch', 'guardian.js');
  const child = spawn(process.execPath, [guardian, JSON.stringify({ command, args })], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: it is ended as a whole, and an interrupt of the terminal does not reach it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  child.stdin!.on('error', () => undefined);
  return child;
}

/** The newest lines that a process writes. */
function keptLines(child: ChildProcess, onLine?: (line: string) => void): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      onLine?.(line);
    });
  }
  return lines;
}

/** Rejects when the process ends, with the end of what it wrote. */
function endOf(child: ChildProcess, lines: readonly string[]): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const how = signal ? `by ${signal}` : `with exit code ${code}`;
      const said = lines.length > 0 ? `. It wrote last:\n${lines.slice(-12).join('\n')}` : '.';
      reject(new Error(`The worker that holds the model ended ${how}${said}`));
    });
  });
  ended.catch(() => undefined);
  return ended;
}

/** The connections of all processes of the worker: each says how many there are. */
function connections(server: Server, token: string): Promise<Connected> {
  const sockets = new Map<number, Socket>();
  let pid = 0;
  return new Promise((resolve, reject) => {
    server.on('connection', (socket) => {
      const frames = new FrameReader();
      const hello = (piece: Buffer): void => {
        try {
          const [message] = frames.push(piece);
          if (!message) return;
          socket.off('data', hello);
          if (message.type !== 'hello' || !isSame(String(message.token), token)) return void socket.destroy();
          if (message.version !== VERSION)
            return reject(
              new Error(
                `The worker speaks version ${message.version} of the protocol, this kernel ${VERSION}: update the older one.`,
              ),
            );
          sockets.set(Number(message.rank), socket);
          if (message.rank === 0) pid = Number(message.pid);
          const world = Number(message.world ?? 1);
          if (sockets.size === world)
            resolve({ sockets: Array.from({ length: world }, (_, rank) => sockets.get(rank)!), pid });
        } catch {
          socket.destroy();
        }
      };
      socket.on('data', hello).on('error', () => undefined);
    });
  });
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What comes first: the connection, the end of the process, an interruption, the end of patience. */
async function firstOf(ended: Promise<never>, signal: AbortSignal, connected: Promise<Connected>): Promise<Connected> {
  const patience = AbortSignal.timeout(CONNECT_WITHIN);
  const either = AbortSignal.any([signal, patience]);
  const aborted = new Promise<never>((_, reject) => {
    const abort = () =>
      reject(
        signal.aborted ? signal.reason : new Error(`Python did not connect within ${CONNECT_WITHIN / 1000} seconds.`),
      );
    if (either.aborted) abort();
    either.addEventListener('abort', abort, { once: true });
  });
  aborted.catch(() => undefined);
  return Promise.race([connected, ended, aborted]);
}
