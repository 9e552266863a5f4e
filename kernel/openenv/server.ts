import { type ChildProcess, spawn } from 'node:child_process';
import { serverPackages } from '../common/packagePaths';
import { launchFailed } from './errors';
import { getJson } from './http';
import { raceAbort } from '../common/raceAbort';

/** Options of {@link ServerProcess.launch}. */
export interface LaunchOptions {
  /** Its name in messages: "The atari server". */
  name: string;
  command: string;
  args: string[];
  /** Working folder. */
  cwd: string;
  /** Environment variables added to those of this process. */
  env?: Record<string, string>;
  /** The address at which it listens. Without it, the server prints `{"url": …}` as its first line. */
  url?: string;
  /** Milliseconds in which it must become healthy. Default: 180,000. */
  timeout?: number;
  /** Stops the launch when aborted. */
  signal?: AbortSignal;
  /** Called with the newest line that the server printed, while it starts. */
  onProgress?: (line: string) => void;
}

/** Milliseconds between two health checks, and in which one must be answered. */
const HEALTH_INTERVAL = 100;
const HEALTH_TIMEOUT = 5000;
/** Milliseconds that a server has to end by itself. */
const GRACE = 2000;

/**
 * A server that this process started.
 *
 * #### Notes
 * The server ends when its standard input does: however this process ends, the
 * system closes the pipe. (Programs that know nothing of this run under the
 * guardian, see `launch/guardian.ts`.) It runs in a process group of its own,
 * so that an interrupt meant for the kernel does not reach it, and it does not
 * keep Node.js alive.
 */
export class ServerProcess {
  /** The server's address. */
  readonly url: string = '';
  /** How it ended, once it has ended: "The atari server died (signal SIGKILL). …". */
  exit: string | undefined;
  /** Resolves to {@link exit} when the server has ended. */
  readonly exited: Promise<string>;
  /** The last 4,000 characters that it printed. */
  private log = '';

  private constructor(
    private readonly options: LaunchOptions,
    private readonly child: ChildProcess,
  ) {
    child.stderr!.on('data', (chunk) => this.note(chunk));
    if (options.url) child.stdout!.on('data', (chunk) => this.note(chunk));
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => resolve((this.exit = `${options.name} could not be started: ${error.message}.`)));
      child.once('exit', () => this.endGroup());
      child.once('close', (code, signal) => resolve((this.exit ??= this.describeExit(code, signal))));
    });
    child.stdin!.on('error', () => {});
  }

  /**
   * Starts a server and waits until it is healthy. Rejects with `LAUNCH_FAILED`, or the
   * signal's reason, after stopping the server.
   */
  static async launch(options: LaunchOptions): Promise<ServerProcess> {
    options.signal?.throwIfAborted();
    const child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    });
    const server = new ServerProcess(options, child);
    const timeout = options.timeout ?? 180_000;
    try {
      const { signal } = options;
      const url = options.url ?? (await raceAbort(server.announcedUrl(timeout), signal));
      if (url.startsWith('http')) await server.healthy(url, timeout, signal);
      (server as { url: string }).url = url;
    } catch (error) {
      await server.close();
      throw error;
    }
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
    return server;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /**
   * Resolves to how the server ended, where that explains a lost connection; to
   * `undefined` where it still runs after two seconds.
   */
  async explainLoss(): Promise<string | undefined> {
    return Promise.race([
      this.exited,
      new Promise<undefined>((resolve) => setTimeout(resolve, 2000, undefined).unref()),
    ]);
  }

  /** Stops the server and waits until it is gone. */
  async close(): Promise<void> {
    if (this.exit !== undefined) return;
    this.child.ref();
    this.child.stdin!.end();
    const kill = setTimeout(() => this.child.kill('SIGKILL'), this.options.url ? 10 * GRACE : GRACE);
    await this.exited;
    clearTimeout(kill);
  }

  private note(chunk: Buffer): void {
    this.log = (this.log + chunk).slice(-4000);
    const line = lastLine(this.log);
    if (this.url === '' && line) this.options.onProgress?.(line);
  }

  /** Waits until `GET /health` succeeds. */
  private async healthy(url: string, timeout: number, signal?: AbortSignal): Promise<void> {
    const late = Date.now() + timeout;
    for (;;) {
      const health = getJson(`${url}/health`, { timeout: Math.min(timeout, HEALTH_TIMEOUT), signal });
      const problem = await Promise.race([
        health.then(
          () => undefined,
          (error) => String(error?.message ?? error),
        ),
        this.exited.then(() => ''),
      ]);
      signal?.throwIfAborted();
      if (this.exit !== undefined) throw launchFailed(this.exit);
      if (problem === undefined) return;
      if (Date.now() >= late)
        throw launchFailed(
          `${this.options.name} was not healthy within ${timeout / 1000} s. ${problem}${this.lastWords()}`,
        );
      await raceAbort(new Promise((resolve) => setTimeout(resolve, HEALTH_INTERVAL)), signal);
    }
  }

  /** Resolves to the URL of the first line on standard output. */
  private announcedUrl(timeout: number): Promise<string> {
    const { child, options } = this;
    return new Promise((resolve, reject) => {
      const fail = (message: string): void => reject(launchFailed(message));
      const timer = setTimeout(
        () => fail(`${options.name} was not ready within ${timeout / 1000} s.${this.lastWords()}`),
        timeout,
      );
      let text = '';
      child.stdout!.on('data', (chunk) => {
        if (text.includes('\n')) return;
        text += chunk;
        if (!text.includes('\n')) return;
        clearTimeout(timer);
        try {
          resolve(JSON.parse(text.slice(0, text.indexOf('\n'))).url);
        } catch {
          fail(`${options.name} did not say its address: ${text.slice(0, 200)}`);
        }
      });
      void this.exited.then((end) => {
        clearTimeout(timer);
        fail(end);
      });
    });
  }

  /** Ends what the server's own children left behind in its process group. */
  private endGroup(): void {
    if (process.platform === 'win32' || !this.child.pid) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // Nothing was left.
    }
  }

  private describeExit(code: number | null, signal: string | null): string {
    return `${this.options.name} died (${signal ? `signal ${signal}` : `exit code ${code}`}).${this.lastWords()}`;
  }

  private lastWords(): string {
    const [, missing] = /ModuleNotFoundError: No module named '(openenv|ale_py)'/.exec(this.log) ?? [];
    if (missing && !this.options.url)
      return ` Its Python lacks ${missing}. Install what environments need: ${this.options.command} -m pip install ${serverPackages().join(' ')}`;
    // Uvicorn tells of each connection, which explains nothing.
    const told = this.log.split('\n').filter((line) => !line.startsWith('INFO: '));
    const lines = told.join('\n').trim().split('\n').slice(-8).join('\n');
    return lines === '' ? '' : ` Its last words:\n${lines}`;
  }
}

/** Returns the last line that is not empty, without colours and overwritten text. */
function lastLine(text: string): string {
  const lines = text
    .replace(/\x1b\[[\d;]*[A-Za-z]/g, '')
    .split(/[\r\n]+/)
    .filter((line) => line.trim());
  return lines.at(-1)?.trim() ?? '';
}
