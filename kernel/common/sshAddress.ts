/** A machine that ssh reaches, and how a worker is started there. */
export interface SshAddress {
  /** As ssh takes it: a name of the network, or of its configuration. */
  host: string;
  /** As ssh's configuration says by default. */
  user: string | null;
  port: number | null;
  /** Path of Python there; below the user's home where it begins with `~/`. */
  python: string;
  backend: 'trl' | 'unsloth';
}

/** What an address of a worker on another machine looks like. */
export const SSH_FORM = "'ssh://user@host[:port][/path/to/python][?backend=unsloth]'";

/** Characters that no shell reads as anything else. */
const PLAIN = /^[\w.@%+=:,/~-]+$/;

/** Reads an address of the form {@link SSH_FORM}; null where it is none. */
export function sshAddress(text: unknown): SshAddress | null {
  if (typeof text !== 'string' || !text.startsWith('ssh://') || !URL.canParse(text)) return null;
  const { hostname, username, password, port, pathname, searchParams, hash } = new URL(text);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const python = pathname.length > 1 ? decodeURIComponent(pathname).replace(/^\/~\//, '~/') : 'python3';
  const user = decodeURIComponent(username);
  const backend = searchParams.get('backend') ?? 'trl';
  const isKnown = [...searchParams.keys()].every((name) => name === 'backend');
  // What begins with a dash would be an option of ssh.
  const isSafe = [host, user || 'user'].every((name) => /^[\w.:%@\\][\w.:%@\\-]*$/.test(name)) && PLAIN.test(python);
  if (!isSafe || password || hash || !isKnown || (backend !== 'trl' && backend !== 'unsloth')) return null;
  return { host, user: user || null, port: port ? Number(port) : null, python, backend };
}
