import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { launchFailed, type OpenEnvError } from '../errors';
import { getJson } from '../http';
import type { ServerProcess } from '../server';
import { Backoff } from '../backoff';
import { startFolder } from './folder';
import { findProgram, type StartContext, type StartOptions } from './program';

/** Returns the name of a Space in addresses, as the hub makes it: "openenv/echo_env" → "openenv-echo-env". */
export function spaceSubdomain(space: string): string {
  return space.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

/** Returns the name of a Space's Docker image. */
export function spaceImage(space: string, tag = 'latest'): string {
  return `registry.hf.space/${spaceSubdomain(space)}:${tag}`;
}

/**
 * Returns the address of a Space once it is healthy: a request wakes one that sleeps.
 * Rejects with `LAUNCH_FAILED` when there is no such Space, or it is not healthy
 * within `startTimeout` milliseconds.
 */
export async function wakeSpace(
  space: string,
  { startTimeout = 600_000, headers }: { startTimeout?: number; headers?: Record<string, string> },
  context: StartContext,
  url = `https://${spaceSubdomain(space)}.hf.space`,
): Promise<string> {
  const { signal, onProgress } = context;
  const waiting = new Backoff(startTimeout, { signal, onWait: () => onProgress?.('the Space is waking up') });
  for (;;) {
    try {
      await getJson(`${url}/health`, { timeout: 30_000, headers, signal });
      return url;
    } catch (error) {
      const { code, details, message } = error as OpenEnvError & { details?: { status: number } };
      if (code === 'NOT_SUPPORTED')
        throw launchFailed(
          `There is no Space '${space}' that serves OpenEnv at ${url}, or it is private: then give { headers: { Authorization: 'Bearer hf_…' } }.`,
        );
      const asleep = code === 'TIMEOUT' || code === 'PROTOCOL_ERROR' || (details?.status ?? 0) >= 500;
      if (!asleep) throw error;
      if (!(await waiting.next('')))
        throw launchFailed(
          `The Space ${space} was not healthy within ${startTimeout / 1000} s. ${message} Its page tells why: https://huggingface.co/spaces/${space}`,
        );
    }
  }
}

/** Clones a Space and runs its server on this machine with uv, as OpenEnv's `from_env(…, use_docker=False)` does. */
export async function runSpace(
  space: string,
  options: StartOptions & { app?: string },
  context: StartContext,
): Promise<ServerProcess> {
  for (const tool of ['git', 'uv']) {
    if (!findProgram(tool))
      throw launchFailed(
        `${tool} is not installed: it is needed to run the Space '${space}' on this machine. Without it: openenv('${space}') uses the running Space, { from: 'image' } its Docker image.`,
      );
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-space-'));
  const remove = (): void => fs.rmSync(folder, { recursive: true, force: true });
  try {
    await clone(space, folder, context);
    const cleanup = [process.execPath, '-e', `fs.rmSync(${JSON.stringify(folder)}, { recursive: true, force: true })`];
    return await startFolder(folder, { ...options, from: 'uv' }, context, { name: `The Space ${space}`, cleanup });
  } catch (error) {
    remove();
    throw error;
  }
}

async function clone(space: string, folder: string, { signal, onProgress }: StartContext): Promise<void> {
  const source = `${process.env.HF_ENDPOINT || 'https://huggingface.co'}/spaces/${space}`;
  onProgress?.(`cloning ${source}`);
  try {
    await promisify(execFile)('git', ['clone', '--depth', '1', source, folder], {
      signal,
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw launchFailed(
      `${source} could not be cloned: ${String((error as { stderr?: string }).stderr || error).trim()}`,
    );
  }
}
