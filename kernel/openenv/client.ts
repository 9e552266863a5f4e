import { Channel } from './channel';
import { OpenEnvError, serverError } from './errors';
import type { ClientMessage, EnvironmentMetadata, EnvironmentSchema, EpisodeState, ResetArguments, ServerMessage, StepResult } from './protocol';

/** Options of {@link OpenEnvClient.connect}. Times in milliseconds. */
export interface ClientOptions {
  /** For the connection to be made; default 10,000. */
  connectTimeout?: number;
  /** For the answer to a message; default 60,000. */
  messageTimeout?: number;
  /** Ends the session when aborted. */
  signal?: AbortSignal;
  /** Asked when the connection breaks: what happened to the server, where it is known. */
  explainLoss?: () => Promise<string | undefined>;
}

/** One session with an OpenEnv server, over WebSocket. Every failure is an {@link OpenEnvError}. */
export class OpenEnvClient {
  private constructor(
    /** The server's address, `http://…`, without a slash at the end. */
    readonly url: string,
    private readonly channel: Channel,
    private readonly timeout: number,
  ) {}

  /** Opens a session. `url` is the server's address: `http://host:port` (or https, ws, wss). */
  static async connect(url: string, options: ClientOptions = {}): Promise<OpenEnvClient> {
    const base = httpUrl(url);
    const messageTimeout = options.messageTimeout ?? 60_000;
    const channel = await Channel.open(webSocketUrl(base, '/ws'), {
      connectTimeout: options.connectTimeout ?? 10_000,
      messageTimeout,
      signal: options.signal,
      explainLoss: options.explainLoss,
    });
    return new OpenEnvClient(base, channel, messageTimeout);
  }

  /** Starts an episode. */
  async reset(data: ResetArguments = {}): Promise<StepResult> {
    return this.ask<StepResult>({ type: 'reset', data }, 'observation');
  }

  /** Takes one step. `action` follows the schema's `action`. */
  async step(action: object): Promise<StepResult> {
    return this.ask<StepResult>({ type: 'step', data: action }, 'observation');
  }

  /** What the server tells about the episode. */
  async state(): Promise<EpisodeState> {
    return this.ask<EpisodeState>({ type: 'state' }, 'state');
  }

  /** Ends the session. Calls after it fail with `CLOSED`. */
  async close(): Promise<void> {
    this.channel.notify(JSON.stringify({ type: 'close' } satisfies ClientMessage));
    await this.channel.close();
  }

  /** `GET /health`: "healthy". */
  async health(): Promise<string> {
    return (await getJson(this.url, '/health', this.timeout)).status;
  }

  /** `GET /metadata`. Old servers have none: `CONNECTION_FAILED`. */
  async metadata(): Promise<EnvironmentMetadata> {
    return getJson(this.url, '/metadata', this.timeout);
  }

  /** `GET /schema`: the JSON Schemas of action, observation and state. */
  async schema(): Promise<EnvironmentSchema> {
    return getJson(this.url, '/schema', this.timeout);
  }

  private async ask<Data>(message: ClientMessage, answerType: ServerMessage['type']): Promise<Data> {
    const answer = parseMessage(await this.channel.request(JSON.stringify(message)));
    if (answer.type === 'error') throw serverError(answer.data);
    if (answer.type !== answerType) {
      throw new OpenEnvError('PROTOCOL_ERROR', `The server answered a ${message.type} with a message of type "${answer.type}".`);
    }
    return answer.data as Data;
  }
}

/** A message from a server. Fails with `PROTOCOL_ERROR` when it is none. */
export function parseMessage(bytes: string | Uint8Array): ServerMessage {
  const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString();
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    message = undefined;
  }
  if (typeof message !== 'object' || message === null || !('type' in message) || !('data' in message)) {
    throw new OpenEnvError('PROTOCOL_ERROR', `The server's answer is not an OpenEnv message: ${text.slice(0, 200)}`);
  }
  return message as ServerMessage;
}

/** `GET url + route` as JSON. `timeout` in milliseconds. */
export async function getJson(url: string, route: string, timeout: number): Promise<any> {
  let response: Response;
  try {
    response = await fetch(url + route, { signal: AbortSignal.timeout(timeout) });
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') {
      throw new OpenEnvError('TIMEOUT', `${url}${route} did not answer within ${timeout / 1000} s.`);
    }
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new OpenEnvError('CONNECTION_FAILED', `No OpenEnv server answers at ${url}: ${cause || 'connection refused'}.`);
  }
  if (!response.ok) throw new OpenEnvError('CONNECTION_FAILED', `${url}${route} answered ${response.status} ${response.statusText}.`);
  return response.json();
}

/** A server's address with http or https and without a slash at the end. */
export function httpUrl(url: string): string {
  return url.replace(/^ws(?=s?:)/, 'http').replace(/\/(ws)?$/, '');
}

/** The WebSocket address of a route of a server. */
export function webSocketUrl(url: string, route: string): string {
  return httpUrl(url).replace(/^http/, 'ws') + route;
}
