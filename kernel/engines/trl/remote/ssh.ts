import { readdirSync, readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { packageRoot } from '../../../common/packagePaths';
import type { SshAddress } from '../../../common/sshAddress';

/** A worker's program on another machine: what this machine runs, and what it sends to its standard input. */
export interface RemoteStart {
  command: string[];
  /** Ends with nothing: the standard input stays open while the worker is wanted. */
  input: string;
  /** Says in a sentence why it ended, from its exit code and the lines that it wrote; null where that is not known. */
  explain(code: number | null, lines: readonly string[]): string | null;
}

/** What a worker on another machine is started with. */
export interface RemoteOptions {
  /** Where its connection is to arrive on this machine. */
  port: number;
  /** Arguments of Python before the worker's program. */
  args: readonly string[];
  /** Packages that it must have. */
  packages: readonly string[];
  env: Record<string, string>;
}

const source = join(packageRoot, 'kernel', 'engines', 'trl');

/**
 * Returns what starts a worker through the system's OpenSSH. Its connection
 * comes back through a socket in the file system there, which its user alone
 * may open: no port is opened.
 */
export function throughSsh(address: SshAddress, { port, args, packages, env }: RemoteOptions): RemoteStart {
  const socket = `/tmp/joylab-${randomBytes(16).toString('hex')}.sock`;
  const given = {
    files: workerFiles(),
    packages,
    arguments: args,
    environment: { ...env, JOYLAB_WORKER_ADDRESS: `unix:${socket}` },
  };
  const start = readFileSync(join(source, 'remote', 'start.py'));
  return {
    command: sshCommand(address, { socket, port }),
    input: `${start.length}\n${start}${JSON.stringify(given)}\n`,
    explain: (code, lines) => explanation(address, code, lines),
  };
}

function sshCommand({ host, user, port, python }: SshAddress, to: { socket: string; port: number }): string[] {
  const options = [
    'BatchMode=yes',
    'ExitOnForwardFailure=yes',
    // A connection that is shared would keep the socket when this one ends.
    'ControlMaster=no',
    'ControlPath=none',
    'LogLevel=INFO',
    'ConnectTimeout=20',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
    'RequestTTY=no',
    'ForwardAgent=no',
    'ForwardX11=no',
  ];
  // The program itself comes through the standard input. The server leaves the socket's file behind, Python or not.
  const program = `${python} -u -c "import sys; exec(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())))"`;
  return [
    'ssh',
    ...options.flatMap((option) => ['-o', option]),
    ...['-R', `${to.socket}:127.0.0.1:${to.port}`],
    ...(user === null ? [] : ['-l', user]),
    ...(port === null ? [] : ['-p', String(port)]),
    '--',
    host,
    // In single quotes any shell of the user's passes it on as it is.
    `exec sh -c '${program}; code=$?; rm -f ${to.socket}; exit $code'`,
  ];
}

/** The worker's Python files, by name. */
function workerFiles(): Record<string, string> {
  const names = readdirSync(join(source, 'joylab_worker')).filter((name) => name.endsWith('.py'));
  const paths = ['start_worker.py', ...names.map((name) => `joylab_worker/${name}`)];
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(source, path), 'utf8')]));
}

/** Exit codes: of `remote/start.py` where something is missing, and where the worker was killed; of shells; of ssh. */
const MISSING = 3;
const KILLED = 137;
const NOT_FOUND = [126, 127];
const OF_SSH = 255;

function explanation(address: SshAddress, code: number | null, lines: readonly string[]): string | null {
  const { host, user, python } = address;
  const name = user === null ? host : `${user}@${host}`;
  const wrote = lines.join('\n');
  const login = `ssh ${address.port === null ? '' : `-p ${address.port} `}${name}`;
  const last = lines.at(-1) ?? '';
  if (code === MISSING)
    return `${last} on ${host}: name a Python that has it, ssh://${name}/path/to/python, or run \`joylab setup gpu\` there.`;
  if (NOT_FOUND.includes(code ?? 0))
    return `There is no Python at ${python} on ${host}: name one that has PyTorch and TRL, ssh://${name}/path/to/python.`;
  if (code === KILLED)
    return `The worker on ${host} ended by SIGKILL, as the system ends a process where memory runs out.`;
  if (code === null) return `The connection to ${host} ended, and the worker there with it.`;
  if (code !== OF_SSH) return null;
  if (/could not resolve hostname/i.test(wrote))
    return `ssh does not know the host ${host}: check its name, or ~/.ssh/config.`;
  if (/host key verification failed|identification has changed/i.test(wrote))
    return `The host key of ${host} is not the one that is known, or none is: run \`${login}\` once, and confirm it.`;
  if (/permission denied|too many authentication failures/i.test(wrote))
    return `${host} refuses this machine's keys, and ssh asks for no password here: let \`${login}\` work without one (ssh-copy-id, ssh-agent).`;
  if (/forwarding failed|administratively prohibited/i.test(wrote))
    return `The ssh server of ${host} forbids forwarding: its sshd_config needs AllowStreamLocalForwarding yes.`;
  if (/connection (refused|timed out)|no route to host|network is unreachable/i.test(wrote))
    return `Nothing answers at ${host}: ${last}`;
  return `The connection to ${host} ended, and the worker there with it (ssh: ${last || 'it said nothing'}).`;
}
