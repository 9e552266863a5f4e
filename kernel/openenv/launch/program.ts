import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import * as path from 'node:path';
import { OpenEnvError } from '../errors';
import { ServerProcess } from '../server';
import type { Guarded } from './guardian';

/** Settings of a server that is started on this machine, by the names of OpenEnv's Python client. */
export interface StartOptions {
  /** The port on this machine. Default: a free one. */
  port?: number;
  /** Environment variables of the server: `{ MAX_CONCURRENT_ENVS: '4' }`. */
  envVars?: Record<string, string>;
  /**
   * Milliseconds in which it must become healthy, downloads included. Default: 180,000,
   * or 600,000 where something may be downloaded.
   */
  startTimeout?: number;
}

/** Context of a start: a signal that ends it, and a listener. */
export interface StartContext {
  signal?: AbortSignal;
  /** Called with the newest line that the server printed while it starts. */
  onProgress?: (line: string) => void;
}

/** A server to start. */
export interface Program {
  /** Its name in messages: "The environment ./echo_env". */
  name: string;
  cwd: string;
  command(port: number): Guarded & { env?: Record<string, string> };
  /** Milliseconds in which it must become healthy. */
  timeout: number;
}

/** Tries with a free port, when another process takes it first. */
const PORT_TRIES = 3;

/**
 * Starts a server under the guardian, which ends it when this process ends, and waits
 * until it is healthy. Rejects with `LAUNCH_FAILED` otherwise.
 */
export async function startProgram(
  program: Program,
  { port, envVars }: StartOptions,
  context: StartContext,
): Promise<ServerProcess> {
  for (let tries = 1; ; tries++) {
    const chosen = port ?? (await freePort());
    const { env, ...guarded } = program.command(chosen);
    try {
      return await ServerProcess.launch({
        name: program.name,
        command: process.execPath,
        args: [path.join(__dirname, 'guardian.js'), JSON.stringify(guarded)],
        cwd: program.cwd,
        env: { PYTHONUNBUFFERED: '1', ...env, ...envVars },
        url: `http://127.0.0.1:${chosen}`,
        timeout: program.timeout,
        ...context,
      });
    } catch (error) {
      const taken =
        error instanceof OpenEnvError && /address already in use|port is already allocated/i.test(error.message);
      if (!taken || port !== undefined || tries === PORT_TRIES) throw error;
    }
  }
}

/** Returns the path of a program in `PATH`, or `undefined`. */
export function findProgram(name: string): string | undefined {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return folders.flatMap((folder) => endings.map((ending) => path.join(folder, name + ending))).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
