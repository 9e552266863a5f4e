import type { IncomingMessage } from 'node:http';
import { invalidArgument } from '../../errors';

/*
 * Who may play. A browser lets pages of any site open a WebSocket to this
 * machine, and a page whose name is turned to this machine (DNS rebinding) ask
 * for anything. The Atari server has the same rules: see
 * environments/atari/server/origin.py.
 */

/** Which clients a server accepts. */
export interface Access {
  /** Whether it listens on a loopback address only. */
  local: boolean;
  /** Origins beside its own whose pages may connect, and by whose names it may be reached: `https://my.example`; `*` for all. */
  allowed: string[];
}

/** The valid forms of `Origin` and `Host`. */
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::(\d{1,5}))?$/;
const HOST = /^(\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::\d{1,5})?$/;

/** Returns the origins of the variable `JOYLAB_ALLOWED_ORIGINS`, separated by commas. */
export function originsOfEnvironment(): string[] {
  return (process.env.JOYLAB_ALLOWED_ORIGINS ?? '')
    .split(',')
    .map((site) => site.trim())
    .filter(Boolean);
}

/** Throws `INVALID_ARGUMENT` when one of `sites` is not an origin. */
export function checkOrigins(sites: unknown): void {
  for (const site of Array.isArray(sites) ? sites : [sites]) {
    if (site === '*' || (typeof site === 'string' && ORIGIN.test(site.toLowerCase()))) continue;
    throw invalidArgument(
      `allowedOrigins has ${JSON.stringify(site)}: an origin is a scheme, a host and perhaps a port, such as 'https://my.example', or '*' for all.`,
    );
  }
}

/** Returns why a request is refused for its `Host`; `undefined` where it is accepted. */
export function refusedHost({ headers: { host } }: IncomingMessage, { local, allowed }: Access): string | undefined {
  if (host === undefined || !local || allowed.includes('*')) return undefined;
  const name = HOST.exec(host.toLowerCase())?.[1].replace(/\.$/, '') ?? '';
  if (isPrivateName(name) || allowed.some((site) => ORIGIN.exec(site.toLowerCase())![2] === name)) return undefined;
  return 'This server is for this machine alone, and is not known by this name: reach it at localhost, or allow the name (allowedOrigins, JOYLAB_ALLOWED_ORIGINS).';
}

/**
 * Returns why a request is refused for its `Origin`; `undefined` where it is accepted.
 * Programs other than browsers send none. Pages of this machine may connect and, where
 * the server listens on the network, also those that it, or a proxy before it, serves.
 */
export function refusedOrigin(
  { headers: { origin, host = '' } }: IncomingMessage,
  { local, allowed }: Access,
): string | undefined {
  if (origin === undefined || allowed.includes('*')) return undefined;
  const page = parts(origin);
  if (page && (isLoopback(page.host) || allowed.some((site) => parts(site)!.text === page.text))) return undefined;
  if (page && !local && parts(`${page.scheme}://${host}`)?.text === page.text) return undefined;
  return 'Pages of other sites may not play here, unless they are allowed (allowedOrigins, JOYLAB_ALLOWED_ORIGINS).';
}

const DEFAULT_PORTS: Record<string, string> = { http: '80', https: '443' };

function parts(origin: string): { scheme: string; host: string; text: string } | undefined {
  const found = ORIGIN.exec(origin.toLowerCase());
  if (!found) return undefined;
  const [, scheme, host, port = DEFAULT_PORTS[scheme] ?? ''] = found;
  return { scheme, host, text: `${scheme}://${host}:${port}` };
}

/** Returns whether a host name is a loopback name or address. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    /^127\.\d+\.\d+\.\d+$/.test(host) ||
    host === '[::1]' ||
    host === '::1'
  );
}

/**
 * Returns whether a host name cannot be registered by others: an address, a name
 * without a dot, or one with an ending for private use.
 */
function isPrivateName(name: string): boolean {
  return (
    name.startsWith('[') ||
    /^\d+(\.\d+){3}$/.test(name) ||
    /^[^.]+$/.test(name) ||
    /\.(localhost|local|internal|test)$/.test(name)
  );
}
