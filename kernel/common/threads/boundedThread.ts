import { MessageChannel, receiveMessageOnPort, Worker, workerData, type MessagePort } from 'node:worker_threads';
import { Deadline, hasEnded, threadId } from './processorTime';

/** Limits of one request. */
export interface ThreadLimits {
  /** Seconds of processor time, so that it does not matter how busy the machine is. */
  seconds: number;
  /** MiB of JavaScript's heap; 256 by default. */
  memory?: number;
  /** MiB of the thread's stack; Node.js's own by default. */
  stack?: number;
}

/** A request took more time or memory than it may. The thread that ran it has ended. */
export class ThreadLimitError extends Error {
  override name = 'ThreadLimitError';

  constructor(
    readonly reason: 'timeout' | 'memory',
    limits: ThreadLimits,
  ) {
    super(
      reason === 'timeout'
        ? `it took more than ${limits.seconds} s`
        : `it took more than ${limits.memory ?? MEMORY} MiB of memory`,
    );
  }
}

/** Default of {@link ThreadLimits.memory}. */
const MEMORY = 256;
/** Milliseconds that a new thread has to load its module. */
const START = 60_000;
/** Milliseconds between two checks of a thread that has not answered. */
const WATCH = 20;
/** Indices in the memory shared with a thread: how many messages it has sent, and its ID. */
const CELL = { sent: 0, thread: 1, length: 2 };

type Answer = { value: unknown } | { error: unknown };

/**
 * Does work that must not block or end this process: parsing, compiling or
 * rendering what a model or a file contains. The work is that of a module which
 * calls {@link serveRequests}; it runs in a worker thread that is terminated
 * when a request takes too long, and the next request has a new thread.
 *
 * A thread is started with the first request and kept. It does not keep the
 * process alive.
 */
export class BoundedThread<Request, Result> {
  private idle: Thread | undefined;
  /** Requests that do not block are answered one after the other. */
  private last: Promise<unknown> = Promise.resolve();

  /** @param module path of the compiled module */
  constructor(
    private readonly module: string,
    private readonly limits: ThreadLimits,
  ) {}

  /**
   * Returns the answer to a request; blocks the calling thread until then.
   *
   * @throws ThreadLimitError when the request took too much time or memory
   * @throws a copy of what the module threw
   */
  call(request: Request): Result {
    const thread = this.take();
    let answer: Answer | undefined;
    try {
      answer = thread.ask(request, this.limits);
    } finally {
      this.release(thread, answer); // an interrupt can end the sleep, too
    }
    return valueOf(answer) as Result;
  }

  /**
   * As {@link call}, without blocking.
   *
   * @param seconds limit of this request, where it has one of its own
   */
  callAsync(request: Request, seconds = this.limits.seconds): Promise<Result> {
    const limits = { ...this.limits, seconds };
    const result = this.last.then(async () => {
      const thread = this.take();
      let answer: Answer | undefined;
      try {
        answer = await thread.askAsync(request, limits);
      } finally {
        this.release(thread, answer);
      }
      return valueOf(answer) as Result;
    });
    this.last = result.catch(() => {});
    return result;
  }

  /** Ends the thread. A later request starts one again. */
  dispose(): void {
    this.idle?.end();
    this.idle = undefined;
  }

  private take(): Thread {
    const thread = this.idle?.alive ? this.idle : new Thread(this.module, this.limits);
    this.idle = undefined;
    return thread;
  }

  /** Keeps one thread that has answered. */
  private release(thread: Thread, answer: Answer | undefined): void {
    if (answer && !this.idle) this.idle = thread;
    else thread.end();
  }
}

/** In the thread's module: answers each request with what `handle` returns, resolves to or throws. */
export function serveRequests<Request, Result>(handle: (request: Request) => Result | Promise<Result>): void {
  const { port, cells } = workerData as { port: MessagePort; cells: Int32Array };
  Atomics.store(cells, CELL.thread, threadId());
  const send = (answer: Answer | 'ready'): void => {
    port.postMessage(answer);
    Atomics.add(cells, CELL.sent, 1);
    Atomics.notify(cells, CELL.sent);
  };
  port.on('message', async (request: Request) => {
    try {
      send({ value: await handle(request) });
    } catch (error) {
      send({ error: error instanceof Error ? error : new Error(String(error)) });
    }
  });
  send('ready');
}

function valueOf(answer: Answer): unknown {
  if ('error' in answer) throw answer.error;
  return answer.value;
}

/** One thread and the port to it. Its first message says that its module is loaded. */
class Thread {
  private readonly worker: Worker;
  private readonly port: MessagePort;
  private readonly cells = new Int32Array(new SharedArrayBuffer(4 * CELL.length));
  private ready = false;
  alive = true;

  constructor(module: string, limits: ThreadLimits) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.worker = new Worker(module, {
      workerData: { port: port2, cells: this.cells },
      transferList: [port2],
      resourceLimits: {
        maxOldGenerationSizeMb: limits.memory ?? MEMORY,
        ...(limits.stack === undefined ? {} : { stackSizeMb: limits.stack }),
      },
      env: {},
      stdin: false,
    });
    // What ends a thread shows as an answer that never comes.
    this.worker
      .on('error', () => {})
      .on('exit', () => (this.alive = false))
      .unref();
    this.port.unref();
  }

  ask(request: unknown, limits: ThreadLimits): Answer {
    if (!this.ready) this.wait(START, limits);
    this.ready = true;
    this.port.postMessage(request);
    return this.wait(limits.seconds * 1000, limits) as Answer;
  }

  async askAsync(request: unknown, limits: ThreadLimits): Promise<Answer> {
    if (!this.ready) await this.waitAsync(START, limits);
    this.ready = true;
    this.port.postMessage(request);
    return (await this.waitAsync(limits.seconds * 1000, limits)) as Answer;
  }

  end(): void {
    this.alive = false;
    void this.worker.terminate();
    this.port.close();
  }

  private wait(milliseconds: number, limits: ThreadLimits): Answer | 'ready' {
    const deadline = this.deadline(milliseconds);
    for (;;) {
      const sent = Atomics.load(this.cells, CELL.sent);
      const received = receiveMessageOnPort(this.port);
      if (received) return received.message;
      if (Atomics.wait(this.cells, CELL.sent, sent, WATCH) === 'timed-out') this.check(deadline, limits);
    }
  }

  private async waitAsync(milliseconds: number, limits: ThreadLimits): Promise<Answer | 'ready'> {
    const deadline = this.deadline(milliseconds);
    const stop = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        const watch = setInterval(() => {
          try {
            this.check(deadline, limits);
          } catch (error) {
            reject(error);
          }
        }, WATCH);
        stop.signal.addEventListener('abort', () => (clearInterval(watch), this.port.removeAllListeners('message')));
        this.port.once('message', resolve);
      });
    } finally {
      stop.abort();
      this.port.unref();
    }
  }

  private deadline(milliseconds: number): Deadline {
    return new Deadline(Atomics.load(this.cells, CELL.thread), milliseconds);
  }

  /** Throws when the time is over, or when the thread has ended, as it does by itself when its heap is full. */
  private check(deadline: Deadline, limits: ThreadLimits): void {
    if (hasEnded(Atomics.load(this.cells, CELL.thread)) || !this.alive) throw new ThreadLimitError('memory', limits);
    if (deadline.over) throw new ThreadLimitError('timeout', limits);
  }
}
