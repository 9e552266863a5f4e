import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import { withProgress } from '../../display/progress/progress';
import { getJson } from '../../openenv/http';
import { ServerProcess } from '../../openenv/server';
import { answers, snakeCase, type AtariProcess } from './stream';
import { packageRoot, pythonPath } from '../../common/packagePaths';
import type { ResolvedAtariOptions } from './options';

interface SharedServer {
  server: Promise<ServerProcess>;
  users: number;
}

/** Running servers by their options: a cell that runs again finds its server ready. */
const servers = new Map<string, SharedServer>();

/** The processes that play rollouts, of any game. */
const processes: Promise<ServerProcess>[] = [];
/** On Linux, games are in huge pages of memory: 2 % faster, as a step of each touches many pages. */
const tunables = [process.env.GLIBC_TUNABLES, 'glibc.malloc.hugetlb=1'].filter(Boolean).join(':');

/** A server in use. */
export interface AcquiredServer {
  server: ServerProcess;
  /** Ends the use; the server stops with its last one. A second call does nothing. */
  release(): Promise<void>;
}

/** Milliseconds that a server has to answer before it counts as frozen, and is ended. */
const FROZEN = 10_000;

/**
 * Returns an OpenEnv server with these options: a running one, else a new one.
 *
 * @param messageTimeout milliseconds that its user waits for an answer; a running server that takes longer is replaced
 */
export async function acquireServer(options: ResolvedAtariOptions, messageTimeout = FROZEN): Promise<AcquiredServer> {
  const key = JSON.stringify(options, Object.keys(options).sort());
  const known = servers.get(key);
  const ended = known && (await hasEnded(known.server, messageTimeout));
  // Another call may have replaced it meanwhile.
  if (ended && servers.get(key) === known) servers.delete(key);
  const shared = servers.get(key) ?? {
    server: launch(`The Atari server (${options.game})`, 'server.app', variables(options)),
    users: 0,
  };
  servers.set(key, shared);
  shared.users++;
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    if (--shared.users > 0) return;
    if (servers.get(key) === shared) servers.delete(key);
    await (await shared.server).close();
  };
  try {
    return { server: await shared.server, release };
  } catch (error) {
    if (servers.get(key) === shared) servers.delete(key);
    throw error;
  }
}

/**
 * Returns `count` processes that play many games each, by default one per core.
 * The first call starts them, and they run until this process ends; one that has
 * ended or is frozen is replaced.
 */
export async function atariProcesses(count = availableParallelism(), messageTimeout?: number): Promise<AtariProcess[]> {
  const started = await withProgress('Starting Atari processes', 0, () =>
    Promise.all(Array.from({ length: count }, (_, i) => playing(i, messageTimeout))),
  );
  return started.map(({ url }) => ({ url, messageTimeout }));
}

async function playing(i: number, messageTimeout = FROZEN): Promise<ServerProcess> {
  const known = processes[i];
  const ended = known && (await hasEnded(known, messageTimeout));
  // Another call may have replaced it meanwhile.
  if (!known || (ended && processes[i] === known))
    processes[i] = launch(`Atari process ${i + 1}`, 'server.vector_server', {
      GLIBC_TUNABLES: tunables,
    });
  return processes[i];
}

/**
 * Returns whether a server has ended, and ends one that does not answer: after a
 * kill it takes a while until its end is reported, and a frozen one still listens.
 */
async function hasEnded(launched: Promise<ServerProcess>, messageTimeout: number): Promise<boolean> {
  const server = await launched.catch(() => undefined);
  if (!server || server.exit !== undefined) return true;
  // A busy machine has a second in any case.
  if (await isAlive(server.url, Math.min(FROZEN, Math.max(1000, messageTimeout)))) return false;
  await server.close();
  return true;
}

function isAlive(url: string, timeout: number): Promise<boolean> {
  if (url.startsWith('tcp:')) return answers(url, timeout);
  return getJson(`${url}/health`, { timeout }).then(
    () => true,
    () => false,
  );
}

function launch(name: string, module: string, env: Record<string, string>): Promise<ServerProcess> {
  const server = ServerProcess.launch({
    name,
    command: pythonPath(),
    args: ['-m', module, '--exit-with-parent'],
    cwd: path.join(packageRoot, 'kernel', 'environments', 'atari'),
    env,
  });
  server.catch(() => {});
  return server;
}

/** Returns the environment variables from which the server reads its options: `ATARI_FRAME_SKIP=4`. */
function variables(options: ResolvedAtariOptions): Record<string, string> {
  return Object.fromEntries(
    Object.entries(snakeCase(options)).map(([name, value]) => [`ATARI_${name.toUpperCase()}`, String(value)]),
  );
}
