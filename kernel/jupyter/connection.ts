import { getHashes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The content of Jupyter's connection file: the ports that the kernel listens at, and the key that signs messages. */
export interface ConnectionInfo {
  transport: 'tcp' | 'ipc';
  /** An address; when `transport` is "ipc", the first part of the sockets' paths. */
  ip: string;
  /** 0, for any of the ports: the system chooses one. */
  shell_port: number;
  control_port: number;
  stdin_port: number;
  hb_port: number;
  iopub_port: number;
  /** Empty: messages are not signed. */
  key: string;
  /** "hmac-sha256", or another digest that Node.js knows. */
  signature_scheme: string;
}

export const PORTS = ['shell_port', 'control_port', 'stdin_port', 'hb_port', 'iopub_port'] as const;
export type PortName = (typeof PORTS)[number];

/**
 * Returns the checked content of a connection file. As in ipykernel, every
 * field may be left out.
 *
 * @throws Error that names the field when one is not valid
 */
export function readConnection(path: string): ConnectionInfo {
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`Cannot read the connection file ${path}: ${(error as Error).message}`);
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new Error(`The connection file ${path} is not a JSON object.`);
  }
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== ''));
  const info: ConnectionInfo = { ...DEFAULTS, ...defined };
  const wrong = (field: string, known: string) =>
    new Error(
      `The connection file ${path} has ${JSON.stringify((info as any)[field])} as "${field}". Valid: ${known}.`,
    );
  for (const port of PORTS) {
    if (!Number.isInteger(info[port]) || info[port] < 0 || info[port] > 65535)
      throw wrong(port, '0 (any free port) to 65535');
  }
  if (info.transport !== 'tcp' && info.transport !== 'ipc') throw wrong('transport', '"tcp", "ipc"');
  if (info.transport === 'ipc' && PORTS.some((port) => info[port] === 0))
    throw wrong('transport', '"tcp", where ports are left open');
  if (typeof info.ip !== 'string') throw wrong('ip', 'an address as a string');
  if (typeof info.key !== 'string') throw wrong('key', 'a string');
  if (!isKnownScheme(info.signature_scheme)) throw wrong('signature_scheme', '"hmac-sha256" and other "hmac-<digest>"');
  return info;
}

const DEFAULTS: ConnectionInfo = {
  transport: 'tcp',
  ip: '127.0.0.1',
  shell_port: 0,
  control_port: 0,
  stdin_port: 0,
  hb_port: 0,
  iopub_port: 0,
  key: '',
  signature_scheme: 'hmac-sha256',
};

function isKnownScheme(scheme: unknown): boolean {
  return typeof scheme === 'string' && scheme.startsWith('hmac-') && getHashes().includes(scheme.slice('hmac-'.length));
}

/** Writes a connection file, which only this user can read, since it holds the key. It is replaced as a whole. */
export function writeConnection(path: string, connection: ConnectionInfo): void {
  const partial = `${path}.partial`;
  writeFileSync(partial, JSON.stringify(connection, null, 2) + '\n', { mode: 0o600 });
  renameSync(partial, path);
}

/** Returns the ZeroMQ address of one of the kernel's ports. */
export function address(connection: ConnectionInfo, port: number): string {
  const { transport, ip } = connection;
  return transport === 'ipc' ? `ipc://${ip}-${port}` : `tcp://${ip}:${port === 0 ? '*' : port}`;
}
