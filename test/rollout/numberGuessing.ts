import { spawn, type ChildProcess } from 'node:child_process';
import * as path from 'node:path';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';

/** Starts OpenEnv's own server with an environment of the tests: one address for each number of sessions, all in one process. */
export function guessServers(...capacities: number[]): Promise<{ urls: string[]; process: ChildProcess }> {
  return start(capacities);
}

/**
 * Starts a server with four sessions that kills itself.
 *
 * @param killedBy see `number_guessing_server.py`
 */
export async function mortalServer(killedBy: string): Promise<{ url: string; process: ChildProcess }> {
  const {
    urls: [url],
    process: child,
  } = await start([4], { GUESS_KILLED_BY: killedBy });
  return { url, process: child };
}

async function start(
  capacities: number[],
  variables: Record<string, string> = {},
): Promise<{ urls: string[]; process: ChildProcess }> {
  const script = path.join(packageRoot, 'test', 'rollout', 'number_guessing_server.py');
  const child = spawn(pythonPath(), [script, ...capacities.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...variables },
  });
  let text = '';
  for await (const part of child.stdout) {
    text += part;
    if (text.includes('\n')) return { urls: JSON.parse(text.slice(0, text.indexOf('\n'))), process: child };
  }
  throw new Error('the server did not start');
}

/** A strategy that halves the remaining range: it needs at most seven guesses. */
export const bisect = `let low = 1, high = 100, last = 0;
function strategy({ hint }) {
  if (hint === "low") low = last + 1;
  if (hint === "high") high = last - 1;
  if (hint === "start") { low = 1; high = 100; }
  last = Math.floor((low + high) / 2);
  if (last === 13) last = 14;
  return last;
}`;

/** Guesses 777 first, which waits until all sessions of the server are in use at once, then as {@link bisect}. */
export const waitingBisect = bisect.replace(
  'function strategy({ hint }) {',
  `let waited = false;
function strategy({ hint }) {
  if (!waited) { waited = true; return 777; }
  if (last === 0) hint = "start";`,
);
