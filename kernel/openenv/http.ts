import { OpenEnvError } from './errors';

/** Options of {@link getJson}. */
export interface GetOptions {
  /** Milliseconds. */
  timeout: number;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** A document of a server. Fails with `TIMEOUT`, `CONNECTION_FAILED`, or `NOT_SUPPORTED` where there is none. */
export async function getJson(address: string, { timeout, headers, signal }: GetOptions): Promise<any> {
  const stop = AbortSignal.timeout(timeout);
  let response: Response;
  try {
    response = await fetch(address, { headers, signal: signal ? AbortSignal.any([stop, signal]) : stop });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (stop.aborted) throw new OpenEnvError('TIMEOUT', `${address} did not answer within ${timeout / 1000} s.`);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new OpenEnvError('CONNECTION_FAILED', `Nobody answers at ${address}: ${cause || 'connection refused'}.`);
  }
  if (response.status === 404) throw new OpenEnvError('NOT_SUPPORTED', `The server has no ${new URL(address).pathname}: ${address} answered 404.`);
  if (!response.ok) throw new OpenEnvError('CONNECTION_FAILED', `${address} answered ${response.status} ${response.statusText}.`, { status: response.status });
  return response.json().catch(() => {
    throw new OpenEnvError('PROTOCOL_ERROR', `${address} did not answer with JSON.`);
  });
}

/** A server's address with http or https and without a slash at the end. Fails with `INVALID_ARGUMENT` where it is none. */
export function httpUrl(url: string): string {
  const address = String(url).replace(/^ws(?=s?:)/, 'http').replace(/\/(ws)?$/, '');
  if (/^https?:/.test(address) && URL.canParse(address)) return address;
  throw new OpenEnvError('INVALID_ARGUMENT', `'${url}' is no address of a server: it has to be http:// or https://, a host, and a port up to 65535 where it is not the usual one, such as 'http://localhost:8000'.`);
}

/** The WebSocket address of a route of a server. */
export function webSocketUrl(url: string, route: string): string {
  return httpUrl(url).replace(/^http/, 'ws') + route;
}
