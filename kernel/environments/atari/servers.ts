import * as net from 'node:net';
import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import { ServerProcess } from '../../openenv/server';
import { snakeCase, type VectorLane } from '../../openenv/vector';
import { packageRoot, pythonPath } from '../../setup/python';
import type { ResolvedAtariOptions } from './options';

interface SharedServer {
  server: Promise<ServerProcess>;
  users: number;
}

/** Running servers by their options: a cell that runs again finds its server ready. */
const servers = new Map<string, SharedServer>();

/** The processes that play rollouts, whatever the game. */
const lanes: Promise<ServerProcess>[] = [];

/** A server in use. */
export interface ServerLease {
  server: ServerProcess;
  /** The last user's release stops the server. */
  release(): Promise<void>;
}

/** The OpenEnv server of these options: a running one, else a new one. */
export async function leaseServer(options: ResolvedAtariOptions): Promise<ServerLease> {
  const key = JSON.stringify(options, Object.keys(options).sort());
  const known = servers.get(key);
  const ended = known && (await hasEnded(known.server));
  // Somebody else may have replaced it meanwhile.
  if (ended && servers.get(key) === known) servers.delete(key);
  const lease = servers.get(key) ?? { server: launch(`The Atari server (${options.game})`, 'server.app', variables(options)), users: 0 };
  servers.set(key, lease);
  lease.users++;
  const release = async (): Promise<void> => {
    if (--lease.users > 0) return;
    if (servers.get(key) === lease) servers.delete(key);
    await (await lease.server).close();
  };
  try {
    return { server: await lease.server, release };
  } catch (error) {
    if (servers.get(key) === lease) servers.delete(key);
    throw error;
  }
}

/**
 * `count` processes that play many games each, by default one per core. They
 * start with the first call and stay until this process ends; one that has
 * died is replaced.
 */
export async function atariLanes(count = availableParallelism()): Promise<VectorLane[]> {
  const started = await Promise.all(Array.from({ length: count }, (_, i) => lane(i)));
  return started.map(({ url }) => ({ url }));
}

async function lane(i: number): Promise<ServerProcess> {
  const known = lanes[i];
  const ended = known && (await hasEnded(known));
  // Somebody else may have replaced it meanwhile.
  if (!known || (ended && lanes[i] === known)) lanes[i] = launch(`Atari process ${i + 1}`, 'server.vector_server', {});
  return lanes[i];
}

/** Whether a server is gone, or goes: one that was killed listens no more some time before its end is reported. */
async function hasEnded(launched: Promise<ServerProcess>): Promise<boolean> {
  const server = await launched.catch(() => undefined);
  if (!server || server.exit !== undefined) return true;
  if (await listens(server.url)) return false;
  await server.close();
  return true;
}

function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false)).once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
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

/** The server reads its options from variables: `ATARI_FRAME_SKIP=4`. */
function variables(options: ResolvedAtariOptions): Record<string, string> {
  return Object.fromEntries(Object.entries(snakeCase(options)).map(([name, value]) => [`ATARI_${name.toUpperCase()}`, String(value)]));
}
