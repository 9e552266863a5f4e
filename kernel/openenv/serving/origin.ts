import type { IncomingMessage } from 'node:http';

/**
 * Whether a request may play. Browsers tell the page that asks (`Origin`), and
 * hold no page back from a WebSocket to this machine: what a page of another
 * site asks is refused. Programs that are no browsers tell none. A server for
 * all of the network also takes pages that it, or what stands before it,
 * serves itself.
 *
 * @param local the server listens for this machine alone
 */
export function mayPlay({ headers: { origin, host } }: IncomingMessage, local: boolean): boolean {
  if (origin === undefined) return true;
  const page = URL.canParse(origin) ? new URL(origin) : undefined;
  if (!page) return false;
  return isLoopback(page.hostname) || (!local && page.host === host);
}

/** Whether a name is one of this machine, and of it alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || /^127\.\d+\.\d+\.\d+$/.test(host) || host === '[::1]' || host === '::1';
}
