import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { packageRoot } from '../../common/packagePaths';
import type { Guarded } from '../../openenv/launch/guardian';
import { Channel, WorkerLost } from './channel';
import { endOf, keptLines, type Started } from './ended';
import { FrameReader, VERSION } from './protocol';
import { SharedFiles } from './remote/sharedFiles';
import type { RemoteStart } from './remote/ssh';

/** What runs a worker. */
export type Program =
  /** Python on this machine: `['/usr/bin/python3']`, or `['accelerate', 'launch', '--num_processes', '2']`. */
  | { command: readonly string[] }
  /** A program that starts it on another machine, and brings its connection to a port of this one. */
  | { through(place: { port: number; env: Record<string, string> }): RemoteStart };

/** How a worker is started. */
export type WorkerOptions = Program & {
  /** Environment variables beside those of this process. */
  env?: Record<string, string>;
  /** Takes each line that the worker writes. */
  onLine?(line: string): void;
  signal: AbortSignal;
};

/** A worker whose processes have said who they are. */
interface Connected {
  /** By rank. */
  sockets: Socket[];
  /** Of the main process. */
  pid: number;
}

/** Milliseconds in which the end of a process is noticed after that of its connection. */
const END_WITHIN = 1000;
/** Where there are several, their launcher ends the others first, and then says which it was. */
const ALL_END_WITHIN = 15_000;
const LOST = 'The connection to the worker that holds the model was lost.';
/** File descriptor that a guarded program's input comes from. */
const INPUT = 3;
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
  static async start({ env = {}, onLine, signal, ...program }: WorkerOptions): Promise<Worker> {
    const token = randomBytes(32).toString('hex');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const started = start(program, port, {
      ...env,
      PYTHONUNBUFFERED: '1',
      TOKENIZERS_PARALLELISM: 'false',
      JOYLAB_WORKER_TOKEN: token,
    });
    const { child } = started;
    const lines = keptLines(child, onLine);
    const ended = endOf(started, lines);
    try {
      const { sockets, pid } = await firstOf(ended, signal, connections(server, token));
      const files = 'through' in program ? new SharedFiles() : null;
      const worker = new Worker(child, pid, new Channel(sockets, files));
      ended.catch((error) => worker.channel.end(new WorkerLost(error.message)));
      const within = sockets.length > 1 ? ALL_END_WITHIN : END_WITHIN;
      for (const socket of sockets)
        socket.once('close', () => {
          // What the process wrote says more, where it is the process that has ended.
          worker.channel.ending();
          setTimeout(() => worker.channel.end(new WorkerLost(LOST)), within).unref();
        });
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

function start(program: Program, port: number, env: Record<string, string>): Started {
  if ('through' in program) {
    const { command, input, explain } = program.through({ port, env });
    const child = spawnGuarded(command, { input });
    return { child, explain };
  }
  const command = [...program.command, join(packageRoot, 'kernel', 'engines', 'trl', 'start_worker.py')];
  return { child: spawnGuarded(command, { env: { ...env, JOYLAB_WORKER_ADDRESS: `127.0.0.1:${port}` } }) };
}

/** Starts a program that ends, with all that it started, when this process does. Where it gets input, that stays open. */
function spawnGuarded(
  [command, ...args]: string[],
  { env, input }: { env?: Record<string, string>; input?: string },
): ChildProcess {
  const guardian = join(__dirname, '..', '..', 'openenv', 'launch', 'guardian.js');
  const guarded: Guarded = { command, args, ...(input !== undefined && { input: INPUT }) };
  const child = spawn(process.execPath, [guardian, JSON.stringify(guarded)], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe', ...(input === undefined ? [] : ['pipe' as const])],
    // A group of its own: it is ended as a whole, and an interrupt of the terminal does not reach it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  child.stdin!.on('error', () => undefined);
  if (input !== undefined) {
    const stream = child.stdio[INPUT] as Writable;
    // Why the other end is closed is said when the program ends.
    stream.on('error', () => undefined);
    stream.write(input);
  }
  return child;
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
