import { readFileSync } from 'node:fs';

/** What Jupyter writes into a connection file: where the kernel listens and the key that signs messages. */
export interface ConnectionInfo {
  transport: 'tcp' | 'ipc';
  ip: string;
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

const PORTS = ['shell_port', 'control_port', 'stdin_port', 'hb_port', 'iopub_port'] as const;

/** Reads and checks a connection file. Throws an error that names the field at fault. */
export function readConnection(path: string): ConnectionInfo {
  let info: Partial<ConnectionInfo>;
  try {
    info = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`Cannot read the connection file ${path}: ${(error as Error).message}`);
  }
  for (const port of PORTS) {
    if (!Number.isInteger(info[port])) throw new Error(`The connection file ${path} has no "${port}".`);
  }
  const scheme = info.signature_scheme || 'hmac-sha256';
  if (!scheme.startsWith('hmac-')) {
    throw new Error(`The connection file ${path} asks for the signature scheme "${scheme}". Known: hmac-<digest>.`);
  }
  return {
    transport: info.transport ?? 'tcp',
    ip: info.ip ?? '127.0.0.1',
    key: info.key ?? '',
    ...info,
    signature_scheme: scheme,
  } as ConnectionInfo;
}

/** The ZeroMQ address of one of the kernel's ports. */
export function address(connection: ConnectionInfo, port: number): string {
  const separator = connection.transport === 'ipc' ? '-' : ':';
  return `${connection.transport}://${connection.ip}${separator}${port}`;
}
