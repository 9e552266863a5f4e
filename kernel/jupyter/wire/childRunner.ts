import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Child, ChildError, ChildResult, ChildReturn, StreamName } from '../children';
import type { ReaperWatch } from './reaperWatch';

/** Milliseconds that an interrupted child has to end by itself. */
const GRACE = 500;

/** Wire thread: runs the child that the main thread waits for, one at a time. */
export class ChildRunner {
  private running: ChildProcess | null = null;

  constructor(private readonly reaper: ReaperWatch) {}

  run(child: Child, { port, done }: ChildReturn, show: (stream: StreamName, text: string) => void): void {
    const finish = (result: Partial<ChildResult>): void => {
      port.postMessage({ pid: 0, status: null, signal: null, output: [], ...result } satisfies ChildResult);
      port.close();
      Atomics.store(done, 0, 1);
      Atomics.notify(done, 0);
    };
    let started: ChildProcess;
    try {
      // A group of its own: what a shell started ends with it.
      started = spawn(child.file, child.args, { ...child.options, detached: process.platform !== 'win32' });
    } catch (error) {
      return finish({ error: plainError(error) });
    }
    this.running = started;
    this.reaper.note(started.pid);
    started.on('close', () => {
      if (this.running !== started) return;
      this.running = null;
      this.reaper.note(undefined);
    });
    this.follow(started, child, show, finish);
  }

  private follow(
    process: ChildProcess,
    child: Child,
    show: (stream: StreamName, text: string) => void,
    finish: (result: Partial<ChildResult>) => void,
  ): void {
    const output: Array<() => Uint8Array | null> = [];
    let error: ChildError | undefined;
    const giveUp = (code: string): void => {
      error ??= { message: `spawnSync ${child.file} ${code}`, code, path: child.file, spawnargs: child.args };
      end(process, (child.options.killSignal as NodeJS.Signals | undefined) ?? 'SIGTERM');
    };
    process.stdio.forEach((stream, i) => {
      output[i] = () => null;
      if (i === 0 || !stream) return;
      const name = child.shown[i];
      if (name) (stream as Readable).setEncoding('utf8').on('data', (text: string) => show(name, text));
      else output[i] = collect(stream as Readable, child.maxBuffer, () => giveUp('ENOBUFS'));
    });
    // A child need not read what it is given.
    process.stdin?.on('error', () => {}).end(child.input);
    const timer = child.timeout > 0 ? setTimeout(giveUp, child.timeout, 'ETIMEDOUT') : undefined;
    process.on('error', (cause) => (error ??= plainError(cause)));
    process.on('close', (status, signal) => {
      clearTimeout(timer);
      finish({
        pid: process.pid ?? 0,
        status: process.pid === undefined ? null : status,
        signal,
        output: output.map((it) => it()),
        error,
      });
    });
  }

  /** Sends the child SIGINT, as a terminal does, and SIGKILL when it has not ended after {@link GRACE}. */
  interrupt(): void {
    const child = this.running;
    if (!child) return;
    end(child, 'SIGINT');
    setTimeout(() => child.exitCode === null && child.signalCode === null && end(child, 'SIGKILL'), GRACE);
  }

  /** Kills the child at once: this process is about to end. */
  kill(): void {
    if (this.running) end(this.running, 'SIGKILL');
  }
}

/** Collects the bytes of a stream, `most` of them; the function that it returns gives them. */
function collect(stream: Readable, most: number, onTooMuch: () => void): () => Uint8Array {
  const parts: Buffer[] = [];
  let length = 0;
  stream.on('data', (part: Buffer) => {
    length += part.length;
    if (length > most) return onTooMuch();
    parts.push(part);
  });
  return () => Buffer.concat(parts);
}

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (process.platform === 'win32' || !child.pid) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

function plainError(error: unknown): ChildError {
  const { message, code, errno, path, spawnargs } = error as NodeJS.ErrnoException & { spawnargs?: string[] };
  return { message: message.replace(/^spawn /, 'spawnSync '), code, errno, path, spawnargs };
}
