import { ChatModelError, type ChatErrorCode } from './errors';

/** A request to a server, and how long it may take. */
export interface Exchange {
  url: string;
  /** `undefined`: GET. */
  body?: object;
  /** The key, which no message may have; `null`: none. */
  key: string | null;
  /** The variable that the key is from, for messages. */
  keyVariable: string | null;
  /** Seconds until the whole answer must be there. */
  timeout: number;
  signal?: AbortSignal;
}

/** A failure that another try may mend, and when. */
export interface Retryable {
  error: ChatModelError;
  /** Seconds that the server asks to wait (Retry-After), where it does. */
  after?: number;
}

/** Largest answer in bytes. */
const MAXIMUM_ANSWER = 32 * 2 ** 20;
/** Statuses of a server that another try may find better. */
const RETRYABLE = new Set([408, 409, 425, 429, 500, 502, 503, 504, 529]);
const CODES: Record<number, ChatErrorCode> = {
  401: 'UNAUTHORIZED',
  403: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
  408: 'TIMEOUT',
  504: 'TIMEOUT',
};

/**
 * Sends a request once. Resolves to the JSON of the answer, or to a failure that another
 * try may mend.
 *
 * @throws ChatModelError for any other failure, in one line; the signal's reason when aborted
 */
export async function exchange(request: Exchange): Promise<{ json: any } | Retryable> {
  const { url, signal, timeout } = request;
  signal?.throwIfAborted();
  const stop = AbortSignal.timeout(timeout * 1000);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, init(request, signal ? AbortSignal.any([stop, signal]) : stop));
    text = await textOf(response);
  } catch (error) {
    if (error instanceof ChatModelError) throw error;
    if (signal?.aborted) throw signal.reason;
    const late = new ChatModelError('TIMEOUT', `${url} did not answer within ${timeout} s.`);
    return { error: stop.aborted ? late : new ChatModelError('CONNECTION_FAILED', unreachable(url, error)) };
  }
  if (!response.ok) return refusal(response, text, request);
  const json = parsed(text);
  if (json !== undefined) return { json };
  const error = new ChatModelError('PROTOCOL_ERROR', noJson(url, text), response.status);
  // A page is what another address than that of the model answers: the same at each try.
  if (isPage(text)) throw error;
  return { error };
}

function init({ body, key }: Exchange, signal: AbortSignal): RequestInit {
  return {
    method: body ? 'POST' : 'GET',
    body: body && JSON.stringify(body),
    headers: {
      accept: 'application/json',
      ...(body && { 'content-type': 'application/json' }),
      ...(key !== null && { authorization: `Bearer ${key}` }),
    },
    // The key goes to the address that was given, and nowhere else.
    redirect: 'manual',
    signal,
  };
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAXIMUM_ANSWER)
      throw new ChatModelError(
        'PROTOCOL_ERROR',
        `${response.url} answered with more than ${MAXIMUM_ANSWER / 2 ** 20} MiB.`,
      );
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** Returns or throws what an answer with an error status means. */
function refusal(response: Response, text: string, { url, key, keyVariable }: Exchange): Retryable {
  const { status } = response;
  const said = serversWords(text, key);
  const fail = (message: string) => new ChatModelError(CODES[status] ?? 'REFUSED', message, status);
  if (RETRYABLE.has(status)) {
    const error = new ChatModelError(CODES[status] ?? 'BUSY', `${url} answered ${status}${said}.`, status);
    return { error, after: retryAfter(response.headers.get('retry-after')) };
  }
  if (status >= 300 && status < 400)
    throw fail(
      `${url} answered ${status}: the model is at another address, ${response.headers.get('location') ?? '?'}.`,
    );
  if (status === 401 || status === 403) {
    const mend = keyVariable
      ? `check the environment variable ${keyVariable}`
      : 'put the key into an environment variable, and name it: apiKeyEnv';
    throw fail(`${url} refused the request (${status})${said}: ${mend}.`);
  }
  throw fail(`${url} answered ${status}${said}.`);
}

/** Returns the seconds of a `Retry-After`: a number, or a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** Returns what a server says of an error, as the end of a sentence in one line; without the key, which some repeat. */
function serversWords(text: string, key: string | null): string {
  const { error, message, detail } = Object(parsed(text)) as Record<string, any>;
  const said = [error?.message, error, message, detail].find((one) => typeof one === 'string');
  const words = said ?? (isPage(text) ? 'with a page of HTML' : '');
  if (words === '') return '';
  const line = oneLine(key ? words.replaceAll(key, '…') : words).replace(/[.\s]+$/, '');
  return said === undefined ? ` ${line}` : `: ${line}`;
}

function noJson(url: string, text: string): string {
  if (isPage(text))
    return `${url} answered with a page of HTML: baseUrl is another address, mostly one that ends in /v1.`;
  return `${url} did not answer with JSON but with ${text === '' ? 'nothing' : JSON.stringify(oneLine(text, 60))}.`;
}

function isPage(text: string): boolean {
  return /^\s*<(!doctype|html|head|body)/i.test(text);
}

function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(url: string, error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string; errors?: Array<{ code?: string }> } };
  const why = cause?.code ?? cause?.errors?.[0]?.code ?? cause?.message ?? (error as Error).message;
  return why === 'ECONNREFUSED' || why === 'ENOTFOUND' || why === 'EAI_AGAIN'
    ? `Nobody answers at ${url} (${why}).`
    : `${url} broke off its answer (${oneLine(String(why))}).`;
}

/** Returns a text as one line of at most `length` characters. */
function oneLine(text: string, length = 200): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > length ? `${line.slice(0, length)}…` : line;
}
