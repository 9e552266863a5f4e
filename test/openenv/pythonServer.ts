import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';

/** A running python_server.py: an environment on OpenEnv's own server. */
export interface Garden {
  port: number;
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts the server.
 *
 * @param second whether the environment has other actions
 */
export async function startPythonServer({ second = false } = {}): Promise<Garden> {
  const script = path.join(packageRoot, 'test', 'openenv', 'python_server.py');
  const child = spawn(pythonPath(), [script, ...(second ? ['--second'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const [line] = await Promise.race([
    new Promise<string[]>((resolve) =>
      createInterface({ input: child.stdout! }).once('line', (text) => resolve([text])),
    ),
    ended.then(() => Promise.reject(new Error('The garden server ended before it was ready.'))),
  ]);
  const url = `http://127.0.0.1:${line}`;
  while (
    !(await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    port: Number(line),
    url,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
