import { NestingError, parseJson } from '../common/nesting';
import { invalidArgument, OpenEnvError } from './errors';

/** Options of {@link getJson}. */
export interface GetOptions {
  /** Milliseconds in which the whole document must arrive. */
  timeout: number;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Returns a JSON document of a server. Rejects with `TIMEOUT`, `CONNECTION_FAILED`,
 * `PROTOCOL_ERROR` when it is not JSON or too large, or `NOT_SUPPORTED` when the
 * server answers 404.
 */
export async function getJson(address: string, { timeout, headers, signal }: GetOptions): Promise<any> {
  const stop = AbortSignal.timeout(timeout);
  let text: string;
  try {
    text = await documentText(address, { headers, signal: signal ? AbortSignal.any([stop, signal]) : stop });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (stop.aborted) throw new OpenEnvError('TIMEOUT', `${address} did not answer within ${timeout / 1000} s.`);
    throw error;
  }
  try {
    return parseJson(text, `The document at ${address}`);
  } catch (error) {
    throw new OpenEnvError(
      'PROTOCOL_ERROR',
      error instanceof NestingError ? error.message : `${address} did not answer with JSON.`,
    );
  }
}

/** Largest document in bytes. */
const MAXIMUM_DOCUMENT = 32 * 2 ** 20;

async function documentText(address: string, init: RequestInit): Promise<string> {
  const response = await fetch(address, init).catch((error) => {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new OpenEnvError('CONNECTION_FAILED', `Nobody answers at ${address}: ${cause || 'connection refused'}.`);
  });
  const { status, statusText } = response;
  if (status === 404)
    throw new OpenEnvError('NOT_SUPPORTED', `The server has no ${new URL(address).pathname}: ${address} answered 404.`);
  if (!response.ok)
    throw new OpenEnvError('CONNECTION_FAILED', `${address} answered ${status} ${statusText}.`, { status });
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response.body ?? []) {
      size += part.length;
      if (size > MAXIMUM_DOCUMENT) break;
      parts.push(part);
    }
  } catch {
    throw new OpenEnvError('CONNECTION_FAILED', `${address} broke off its answer.`);
  }
  if (size <= MAXIMUM_DOCUMENT) return Buffer.concat(parts).toString();
  throw new OpenEnvError(
    'PROTOCOL_ERROR',
    `The document at ${address} has more than ${MAXIMUM_DOCUMENT / 2 ** 20} MiB.`,
  );
}

/**
 * Returns a server's address with http or https and without a slash at the end. Throws
 * `INVALID_ARGUMENT` when it is not an address.
 */
export function httpUrl(url: string): string {
  const address = String(url)
    .replace(/^ws(?=s?:)/, 'http')
    .replace(/\/(ws)?$/, '');
  if (/^https?:/.test(address) && URL.canParse(address)) return address;
  throw invalidArgument(
    `'${url}' is no address of a server: it has to be http:// or https://, a host, and a port up to 65535 where it is not the usual one, such as 'http://localhost:8000'.`,
  );
}

/** Returns the WebSocket address of a server's route. */
export function webSocketUrl(url: string, route: string): string {
  return httpUrl(url).replace(/^http/, 'ws') + route;
}
