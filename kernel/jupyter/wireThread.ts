import { join } from 'node:path';
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { createInterruptFlag, FLAG } from './interrupt/flag';
import type { Kernel } from './kernel';
import { Outbox } from './outbox';
import type { ToMain, WireOptions } from './protocol';
import { createTextRing } from './textRing';

/** Milliseconds that the wire thread has to send what is left. */
const CLOSE_TIMEOUT = 1000;

/** The wire thread, as the main thread sees it. */
export class WireThread {
  readonly interruptFlag = createInterruptFlag();
  readonly outbox: Outbox;
  private readonly thread: Worker;
  /** The kernel, once it is loaded. */
  private kernel: Kernel | null = null;

  constructor(options: Omit<WireOptions, 'interruptFlag' | 'textRing'>) {
    const textRing = createTextRing();
    const workerData: WireOptions = { ...options, interruptFlag: this.interruptFlag, textRing };
    const thread = new Worker(join(__dirname, 'wire', 'index.js'), { workerData });
    // Bound: a cell may replace the one of `EventEmitter.prototype`.
    thread.emit = thread.emit.bind(thread);
    this.thread = thread;
    this.outbox = new Outbox((posted, transfer) => thread.postMessage(posted, transfer), textRing);
  }

  /**
   * Passes messages of the wire thread to the kernel, from when it is loaded on.
   *
   * @param loading the kernel, which may still be loading: messages wait for it
   * @param exit ends the process; called after the kernel is closed
   */
  async connect(loading: Promise<Kernel>, exit: (code: number) => void): Promise<void> {
    const close = (code: number): void => {
      try {
        this.kernel?.close();
      } finally {
        // Also when a cell has broken what closing needs.
        exit(code);
      }
    };
    process.on('SIGTERM', () => close(0));
    this.thread.on('message', (message: ToMain) => {
      if (message.type === 'shutdown') return close(0);
      if (message.type === 'fatal') {
        writeSync(2, `joylab: ${message.message}\n`);
        return close(1);
      }
      // Without a promise once it is loaded: a cell may have replaced `then`.
      if (this.kernel) this.pass(message, this.kernel);
      else void loading.then((kernel) => this.pass(message, kernel));
    });
    this.thread.on('error', (error) => {
      writeSync(2, `joylab: the wire thread failed: ${error.stack}\n`);
      exit(1);
    });
    this.kernel = await loading;
    setInterval(() => void this.interruptFlag[FLAG.seconds]++, 1000).unref();
  }

  /** Sends what is left and closes the sockets, at most {@link CLOSE_TIMEOUT}: ZeroMQ crashes in a thread that is terminated with open sockets. */
  close(): void {
    const closed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.outbox.post({ type: 'close', closed });
    Atomics.wait(closed, 0, 0, CLOSE_TIMEOUT);
  }

  private pass(message: ToMain, kernel: Kernel): void {
    if (message.type === 'interrupt') kernel.interrupt();
    else if (message.type === 'answer') kernel.answered(message);
    else if (message.type === 'admit') kernel.admit(message);
    else if (message.type === 'request') {
      this.interruptFlag[FLAG.taken] = message.id;
      void kernel.handle(message);
    }
  }
}
