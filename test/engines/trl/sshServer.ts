import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Where OpenSSH's server is, which refuses to be started by a relative name; null where there is none. */
export const sshd =
  ['/usr/sbin/sshd', '/usr/bin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path)) ?? null;

/** OpenSSH's server for this user on a port of this machine, and a client that knows it. */
export interface SshServer {
  /** Address of a worker there, by a path of Python. */
  address(python: string): string;
  /** Changes what the client may use; 'nothing' is a key that the server does not take. */
  useKey(key: 'known' | 'nothing'): void;
  stop(): Promise<void>;
}

/** Starts the server with keys of its own in a folder, and has `ssh` of this process use a configuration there. */
export async function startSshServer(folder: string): Promise<SshServer> {
  mkdirSync(folder, { recursive: true });
  const path = (name: string) => join(folder, name);
  for (const name of ['host', 'known', 'nothing'])
    run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path(name)]);
  run('cp', [path('known.pub'), path('authorized_keys')]);
  const port = await freePort();
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${path('host')}`,
    `AuthorizedKeysFile ${path('authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    // As the tests' own process has it: other threads add up in another order.
    'SetEnv OMP_NUM_THREADS=1',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
  ];
  writeFileSync(path('sshd_config'), `${lines.join('\n')}\n`);
  // Where it is started by root, it wants this folder.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const server = spawn(sshd!, ['-D', '-e', '-f', path('sshd_config')], { stdio: 'ignore' });
  await listening(server, port);
  run('sh', ['-c', `echo "[127.0.0.1]:${port} $(cat '${path('host.pub')}')" > '${path('known_hosts')}'`]);
  mkdirSync(path('bin'));
  const client = spawnSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).stdout.trim();
  writeFileSync(path('bin/ssh'), `#!/bin/sh\nexec ${client} -F '${path('ssh_config')}' "$@"\n`);
  chmodSync(path('bin/ssh'), 0o755);
  process.env.PATH = `${path('bin')}${delimiter}${process.env.PATH}`;
  const useKey = (key: string): void =>
    writeFileSync(
      path('ssh_config'),
      `UserKnownHostsFile ${path('known_hosts')}\nGlobalKnownHostsFile none\nIdentityFile ${path(key)}\nIdentitiesOnly yes\n`,
    );
  useKey('known');
  return {
    address: (python) => `ssh://${userInfo().username}@127.0.0.1:${port}${python}`,
    useKey,
    async stop() {
      server.kill();
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    },
  };
}

function run(command: string, args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`sshd ended with exit code ${server.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const isThere = await new Promise((resolve) =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    );
    socket.destroy();
    if (isThere) return;
    await pause(20);
  }
}
