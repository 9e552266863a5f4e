import * as fs from 'node:fs';
import * as path from 'node:path';
import { launchFailed, OpenEnvError } from '../errors';
import type { ServerProcess } from '../server';
import { findProgram, startProgram, type Program, type StartContext, type StartOptions } from './program';

/** Options of {@link startFolder}. */
export interface FolderOptions extends StartOptions {
  /**
   * `'uv'` creates the Python environment that the folder's `pyproject.toml` describes,
   * `'python'` uses Joylab's. Default: `'uv'` where it is installed and there is a
   * `pyproject.toml`.
   */
  from?: 'uv' | 'python';
  /** The ASGI application, "module:name". Default: `app` of `openenv.yaml`, else `server.app:app`. */
  app?: string;
}

/** The file that makes a folder an environment. */
export const MANIFEST = 'openenv.yaml';

/**
 * Starts the server of an environment's folder, on uvicorn or, where Joylab exported
 * it, on Node.js. Rejects with `LAUNCH_FAILED` when it does not start.
 */
export async function startFolder(
  folder: string,
  options: FolderOptions,
  context: StartContext,
  about: { name?: string; cleanup?: string[] } = {},
): Promise<ServerProcess> {
  const { name = `The environment ${folder}`, cleanup } = about;
  const { app, command } = await findCommand(folder, options);
  const program: Program = {
    name,
    cwd: folder,
    command: (port) => ({ ...command(port), cleanup }),
    timeout: options.startTimeout ?? (options.from === 'uv' || usesUv(folder, options) ? 600_000 : 180_000),
  };
  try {
    return await startProgram(program, options, context);
  } catch (error) {
    const missing = /No module named '?([\w.]+)/.exec(error instanceof OpenEnvError ? error.message : '')?.[1];
    if (!missing || usesUv(folder, options)) throw error;
    const advice = `Python finds no module '${missing}'. If it is a package that ${name} needs (pyproject.toml): install uv, which fetches it (https://docs.astral.sh/uv), or install it into ${await python()}. If it is the application's own, \`app\` of ${MANIFEST} (${app}) is wrong.`;
    throw launchFailed(`${(error as Error).message}\n${advice}`);
  }
}

async function findCommand(
  folder: string,
  options: FolderOptions,
): Promise<{ app: string; command: Program['command'] }> {
  const app = options.app ?? (await manifestApp(folder));
  if (/\.[cm]?js$/.test(app)) {
    return {
      app,
      command: (port) => ({ command: process.execPath, args: [app], env: { PORT: String(port), HOST: '127.0.0.1' } }),
    };
  }
  if (!/^[\w.]+:[\w.]+$/.test(app))
    throw launchFailed(
      `${path.join(folder, MANIFEST)} names '${app}' as its app: it has to be "module:name", such as "server.app:app".`,
    );
  const [command, ...before] = usesUv(folder, options)
    ? [uv(), 'run', '--isolated', '--project', folder, '--']
    : [await python(), '-m'];
  return { app, command: (port) => ({ command, args: [...before, 'uvicorn', app, ...uvicornArguments(port)] }) };
}

/**
 * Returns uvicorn's arguments. The ping timeout is an hour, since a kernel that
 * computes for minutes without a pause answers no pings; that the kernel has ended is
 * seen at once.
 */
function uvicornArguments(port: number): string[] {
  return ['--host', '127.0.0.1', '--port', String(port), '--no-access-log', '--ws-ping-timeout', '3600'];
}

/** Returns `app` of `openenv.yaml`. */
async function manifestApp(folder: string): Promise<string> {
  const file = path.join(folder, MANIFEST);
  if (!fs.existsSync(file))
    throw launchFailed(`${folder} is no environment: it has no ${MANIFEST}. \`openenv init NAME\` makes one that has.`);
  const { parse } = await import('yaml');
  try {
    const { app } = parse(fs.readFileSync(file, 'utf8')) ?? {};
    return typeof app === 'string' && app.trim() !== '' ? app.trim() : 'server.app:app';
  } catch (error) {
    throw launchFailed(`${file} could not be read: ${(error as Error).message}`);
  }
}

function usesUv(folder: string, { from }: FolderOptions): boolean {
  if (from !== undefined) return from === 'uv';
  return fs.existsSync(path.join(folder, 'pyproject.toml')) && findProgram('uv') !== undefined;
}

function uv(): string {
  const found = findProgram('uv');
  if (!found) throw launchFailed('uv is not installed: https://docs.astral.sh/uv says how.');
  return found;
}

async function python(): Promise<string> {
  const { pythonPath } = await import('../../common/packagePaths.js');
  return pythonPath();
}
