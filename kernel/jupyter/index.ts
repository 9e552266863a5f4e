import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { userDataFolder } from '../setup/jupyterFolder';
import { readConnection } from './connection';
import { createInterruptFlag, FLAG } from './interruptFlag';
import type { Kernel } from './kernel';
import { KERNEL_MARK } from './kernelMark';
import { PROTOCOL_VERSION } from './message';
import { Outbox } from './outbox';
import type { ToMain, WireOptions } from './protocol';
import { createTextRing } from './textRing';

/** Content of `kernel_info_reply`. */
function kernelInfo(): Record<string, unknown> {
  const version: string = require('../../../package.json').version;
  return {
    status: 'ok',
    protocol_version: PROTOCOL_VERSION,
    implementation: 'joylab',
    implementation_version: version,
    language_info: {
      name: 'typescript',
      version: require('typescript/package.json').version,
      mimetype: 'text/typescript',
      file_extension: '.ts',
      pygments_lexer: 'typescript',
      codemirror_mode: { name: 'javascript', typescript: true },
      nbconvert_exporter: 'script',
    },
    banner: `Joylab ${version}: reinforcement learning in TypeScript (Node.js ${process.version})`,
    help_links: [
      { text: 'TypeScript', url: 'https://www.typescriptlang.org/docs/' },
      { text: 'OpenEnv', url: 'https://github.com/meta-pytorch/OpenEnv' },
    ],
    supported_features: [],
  };
}

/** `$JOYLAB_HISTORY`, which may be empty to keep no inputs, else a file in Jupyter's data folder of the user. */
function historyFile(): string {
  return process.env.JOYLAB_HISTORY ?? join(userDataFolder(), 'joylab', 'history.jsonl');
}

/**
 * Starts the kernel for a connection file and returns when it listens for
 * requests. The process then lives until it is shut down or its parent dies.
 */
export async function startKernel(connectionFile: string): Promise<void> {
  const connection = readConnection(connectionFile);
  process.env[KERNEL_MARK] = randomUUID();
  const interruptFlag = createInterruptFlag();
  const textRing = createTextRing();
  const workerData: WireOptions = {
    connection,
    connectionFile,
    historyFile: historyFile(),
    kernelInfo: kernelInfo(),
    interruptFlag,
    textRing,
  };
  const wire = new Worker(join(__dirname, 'wire.js'), { workerData });
  // Its own: a cell may replace that of all emitters.
  wire.emit = wire.emit.bind(wire);
  leaveSigint();
  const outbox = new Outbox((posted, transfer) => wire.postMessage(posted, transfer), textRing);
  const end = closeBeforeExit(outbox);
  // Loading takes a while: what arrives meanwhile waits for the promise.
  let loaded: Kernel | null = null;
  const kernel = loadKernel(outbox, interruptFlag);
  const exit = (code: number) => {
    try {
      loaded?.close();
    } finally {
      // Also where a cell has broken what closing needs.
      end(code);
    }
  };
  process.on('SIGTERM', () => exit(0));
  wire.on('message', (message: ToMain) => {
    if (message.type === 'shutdown') return exit(0);
    if (message.type === 'fatal') {
      writeSync(2, `joylab: ${message.message}\n`);
      return exit(1);
    }
    // Without a promise once it is there: a cell may have replaced what promises do.
    if (loaded) pass(message, loaded, interruptFlag);
    else void kernel.then((it) => pass(message, it, interruptFlag));
  });
  wire.on('error', (error) => {
    writeSync(2, `joylab: the wire thread failed: ${error.stack}\n`);
    end(1);
  });
  loaded = await kernel;
  setInterval(() => void interruptFlag[FLAG.seconds]++, 1000).unref();
}

function pass(message: ToMain, kernel: Kernel, flag: Int32Array): void {
  if (message.type === 'interrupt') kernel.interrupt();
  else if (message.type === 'answer') kernel.answered(message);
  else if (message.type === 'request') {
    flag[FLAG.taken] = message.id;
    void kernel.handle(message);
  }
}

async function loadKernel(outbox: Outbox, interruptFlag: Int32Array): Promise<Kernel> {
  const { Kernel } = await import('./kernel.js');
  const { createInterpreter } = await import('../cells/index.js');
  return new Kernel(outbox, (comms) => createInterpreter({ comms, interruptFlag, folder: process.cwd() }));
}

/**
 * Leaves SIGINT to the thread that waits for it (see signals.ts), whatever
 * listeners libraries add: a listener that Node.js takes away while a cell
 * computes would leave the signal to the system, which ends the process.
 */
function leaveSigint(): void {
  const events: NodeJS.EventEmitter = process;
  for (const event of ['newListener', 'removeListener']) {
    for (const listener of events.listeners(event)) {
      events.removeListener(event, listener as () => void);
      events.on(event, (type: string) => type !== 'SIGINT' && listener.call(process, type));
    }
  }
}

/** Time that the wire thread has to send what is left, in milliseconds. */
const CLOSE_TIMEOUT = 1000;

/**
 * Makes `process.exit` first wait for the wire thread to send what is left and
 * to close its sockets: ZeroMQ does not bear a thread that is torn down.
 * Returns it: what cells call so is another, see cells/exit.ts.
 */
function closeBeforeExit(outbox: Outbox): (code: number) => never {
  const exit = process.exit.bind(process);
  // What Node.js's own calls.
  const { reallyExit } = process as unknown as { reallyExit: unknown };
  const end: typeof process.exit = (code) => {
    Object.assign(process, { reallyExit });
    const closed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    outbox.post({ type: 'close', closed });
    Atomics.wait(closed, 0, 0, CLOSE_TIMEOUT);
    return exit(code);
  };
  return (process.exit = end);
}
