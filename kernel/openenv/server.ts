import { type ChildProcess, spawn } from 'node:child_process';
import { getJson } from './client';
import { serverPackages } from '../setup/python';
import { OpenEnvError } from './errors';

/** Options of {@link ServerProcess.launch}. */
export interface LaunchOptions {
  /** What messages call the server: "The atari server". */
  name: string;
  command: string;
  args: string[];
  /** Working folder. */
  cwd: string;
  /** Variables added to this process's environment. */
  env?: Record<string, string>;
  /** Milliseconds until it must be healthy; default 60,000. */
  timeout?: number;
}

/**
 * A server that this process started.
 *
 * #### Notes
 * The server prints `{"url": …}` as its first line, and ends when its standard
 * input does: however this process ends, the system closes the pipe. It runs
 * in a process group of its own, so that an interrupt meant for the kernel does
 * not reach it, and it does not keep Node.js alive.
 */
export class ServerProcess {
  /** The server's address. */
  readonly url: string = '';
  /** How it ended, once it has: "The atari server died (signal SIGKILL). …". */
  exit: string | undefined;
  /** Resolves to {@link exit} when the server has ended. */
  readonly exited: Promise<string>;
  private errors = '';

  private constructor(private readonly options: LaunchOptions, private readonly child: ChildProcess) {
    child.stderr!.on('data', chunk => (this.errors = (this.errors + chunk).slice(-4000)));
    this.exited = new Promise(resolve => {
      child.once('error', error => resolve((this.exit = `${options.name} could not be started: ${error.message}.`)));
      child.once('close', (code, signal) => resolve((this.exit ??= this.describeExit(code, signal))));
    });
    child.stdin!.on('error', () => {});
  }

  /** Starts a server and waits until it is healthy. Fails with `LAUNCH_FAILED`, and then leaves nothing behind. */
  static async launch(options: LaunchOptions): Promise<ServerProcess> {
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
      const url = await server.announcedUrl(timeout);
      if (url.startsWith('http')) await getJson(url, '/health', timeout);
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

  /** Why a connection to this server broke, when the server's end is the reason: for `explainLoss`. */
  async explainLoss(): Promise<string | undefined> {
    return Promise.race([this.exited, new Promise<undefined>(resolve => setTimeout(resolve, 500, undefined).unref())]);
  }

  /** Stops the server and waits until it is gone. */
  async close(): Promise<void> {
    if (this.exit !== undefined) return;
    this.child.ref();
    this.child.stdin!.end();
    const kill = setTimeout(() => this.child.kill('SIGKILL'), 2000);
    await this.exited;
    clearTimeout(kill);
  }

  /** The URL of the first line on standard output. */
  private announcedUrl(timeout: number): Promise<string> {
    const { child, options } = this;
    return new Promise((resolve, reject) => {
      const fail = (message: string): void => reject(new OpenEnvError('LAUNCH_FAILED', message));
      const timer = setTimeout(() => fail(`${options.name} was not ready within ${timeout / 1000} s.${this.lastErrors()}`), timeout);
      let text = '';
      child.stdout!.on('data', chunk => {
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
      void this.exited.then(end => {
        clearTimeout(timer);
        fail(end);
      });
    });
  }

  private describeExit(code: number | null, signal: string | null): string {
    return `${this.options.name} died (${signal ? `signal ${signal}` : `exit code ${code}`}).${this.lastErrors()}`;
  }

  private lastErrors(): string {
    const [, missing] = /ModuleNotFoundError: No module named '(openenv|ale_py)'/.exec(this.errors) ?? [];
    if (missing) return ` Its Python lacks ${missing}. Install what environments need: ${this.options.command} -m pip install ${serverPackages().join(' ')}`;
    const lines = this.errors.trim().split('\n').slice(-8).join('\n');
    return lines === '' ? '' : ` Its last words:\n${lines}`;
  }
}
