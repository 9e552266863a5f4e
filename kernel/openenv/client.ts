import { defined } from '../common/defined';
import { stringifyExact } from '../common/exactJson';
import { jsonValue, JsonValueError } from '../schema/jsonValue';
import { sentValue } from './actionCheck';
import type { Channel } from './channel';
import { OpenEnvError, serverError } from './errors';
import { getJson, httpUrl } from './http';
import { readTools, rpcResult, toolValue, type Tool } from './mcp';
import { parseMessage } from './messages';
import { openSession, type SessionOptions } from './opening';
import type {
  ClientMessage,
  EnvironmentMetadata,
  EnvironmentSchema,
  EpisodeState,
  ResetArguments,
  ServerMessage,
  StepResult,
} from './protocol';
import { checkedRpc, checkedState, checkedStep } from './shapes';

/** Options of {@link OpenEnvClient.connect}. All times are in milliseconds. */
export interface ClientOptions extends SessionOptions {
  /** Time in which a reset, which may load much, must be answered. Default: `messageTimeout`. */
  resetTimeout?: number;
  /** Time for which a reset tries to reach a server whose connection was lost. Default: 30,000. */
  reconnectTimeout?: number;
}

const DEFAULTS = { connectTimeout: 10_000, messageTimeout: 60_000, capacityTimeout: 60_000 };
const CLOSE = JSON.stringify({ type: 'close' } satisfies ClientMessage);
const STATE = JSON.stringify({ type: 'state' } satisfies ClientMessage);

/**
 * A session with an OpenEnv server, over WebSocket. Every failure is an
 * {@link OpenEnvError}.
 *
 * #### Notes
 * A session lives as long as its connection. When that is lost, calls fail with
 * `CONNECTION_LOST`: no step is repeated. The next `reset` opens a new session by
 * itself; it waits for a server that does not answer (`reconnectTimeout`) or is full
 * (`capacityTimeout`).
 */
export class OpenEnvClient {
  private closed = false;
  private rpcId = 0;
  /** Resolves when a session is open in place of a lost one; shared by all resets that wait for it. */
  private opening: Promise<void> | undefined;

  private constructor(
    /** The server's address, `http://…`, without a slash at the end. */
    readonly url: string,
    private readonly settings: ClientOptions & typeof DEFAULTS,
    private channel: Channel,
  ) {}

  /**
   * Opens a session.
   *
   * @param url the server's address: `http://host:port` (or https, ws, wss)
   * @throws OpenEnvError `INVALID_ARGUMENT`, `CONNECTION_FAILED`, `TIMEOUT`, or
   *   `CAPACITY_REACHED` when the server stays full
   */
  static async connect(url: string, options: ClientOptions = {}): Promise<OpenEnvClient> {
    const base = httpUrl(url);
    const settings = { ...DEFAULTS, ...defined(options) } as ClientOptions & typeof DEFAULTS;
    return new OpenEnvClient(base, settings, await openSession(base, settings));
  }

  /** Returns whether the session is open: false from the loss of its connection until the next `reset`. */
  get connected(): boolean {
    return this.channel.failure === undefined;
  }

  /** Returns whether a call waits for its answer. */
  get busy(): boolean {
    return this.channel.busy;
  }

  /** Starts an episode, in a new session where the last one was lost. */
  async reset(data: ResetArguments = {}): Promise<StepResult> {
    if (this.closed || !this.connected) return this.resetAnew(data);
    try {
      return await this.askReset(data);
    } catch (error) {
      // The connection may have been dead for long; no episode hangs on it, so a reset can be done again, once.
      if (
        this.connected ||
        !(error instanceof OpenEnvError) ||
        !['CONNECTION_LOST', 'SESSION_ERROR'].includes(error.code)
      )
        throw error;
      return this.resetAnew(data);
    }
  }

  /** Takes one step. `action` follows the `action` of {@link schema}; the server answers `VALIDATION_ERROR` where it does not. */
  step(action: object): Promise<StepResult> {
    return this.send({ type: 'step', data: action }, 'The action', readObservation);
  }

  /** Returns the state of the episode. */
  state(): Promise<EpisodeState> {
    return this.ask(STATE, readState);
  }

  /** Returns the tools of the environment (MCP). Rejects with `NOT_SUPPORTED` when it has none. */
  async listTools(): Promise<Tool[]> {
    return readTools(await this.rpc('tools/list', {}));
  }

  /**
   * Calls a tool of the environment (MCP) outside of the episode: it is no step and
   * brings no reward. Where a tool call is an action, a step does both: `step({ type:
   * 'call_tool', tool_name: name, arguments: args })`.
   *
   * @returns the tool's value
   * @throws OpenEnvError `TOOL_ERROR` when the tool fails, `NOT_SUPPORTED` when the
   *   environment has no tools
   */
  async callTool(name: string, args: Record<string, unknown> = {}): Promise<any> {
    return toolValue(name, await this.rpc('tools/call', { name, arguments: args }));
  }

  /**
   * Closes the session, and frees it for other clients. The next `reset` opens a new
   * one; until then calls reject with `SESSION_ERROR` and `reason`.
   */
  async release(reason = 'The session was given back.'): Promise<void> {
    this.channel.notify(CLOSE);
    await this.channel.close(new OpenEnvError('SESSION_ERROR', `${reason} reset() starts a new session.`));
  }

  /** Closes the session for good. Later calls reject with `CLOSED`. */
  async close(): Promise<void> {
    this.closed = true;
    this.channel.notify(CLOSE);
    await this.channel.close();
  }

  /** Returns the status at `GET /health`: "healthy". */
  async health(): Promise<string> {
    return (await this.get('/health')).status;
  }

  /** Returns the document at `GET /metadata`. Rejects with `NOT_SUPPORTED` when the server, an old one, has none. */
  metadata(): Promise<EnvironmentMetadata> {
    return this.get('/metadata');
  }

  /**
   * Returns the document at `GET /schema`: the JSON Schemas of action, observation and
   * state. Rejects with `NOT_SUPPORTED` when the server, an old one, has none.
   */
  schema(): Promise<EnvironmentSchema> {
    return this.get('/schema');
  }

  private get(route: string): Promise<any> {
    return getJson(this.url + route, { timeout: this.settings.messageTimeout, headers: this.settings.headers });
  }

  private async resetAnew(data: ResetArguments): Promise<StepResult> {
    if (this.closed) throw closedError();
    if (!this.connected) await (this.opening ??= this.openAnew().finally(() => (this.opening = undefined)));
    return this.askReset(data);
  }

  private async openAnew(): Promise<void> {
    const { reconnectTimeout = 30_000 } = this.settings;
    const channel = await openSession(this.url, this.settings, reconnectTimeout);
    if (this.closed) {
      await channel.close();
      throw closedError();
    }
    this.channel = channel;
  }

  private askReset(data: ResetArguments): Promise<StepResult> {
    return this.send({ type: 'reset', data }, 'The arguments of reset', readObservation, this.settings.resetTimeout);
  }

  private async rpc(method: string, params: object): Promise<any> {
    const request: ClientMessage = { type: 'mcp', data: { jsonrpc: '2.0', id: ++this.rpcId, method, params } };
    return rpcResult(method, params, await this.send(request, 'The request', readRpc).catch(withoutTools));
  }

  /** Sends a message with the user's data, which `what` names in errors. */
  private async send<Answer>(
    { type, data }: Extract<ClientMessage, { data: object }>,
    what: string,
    read: (answer: string) => Answer,
    timeout?: number,
  ): Promise<Answer> {
    return this.ask(stringifyExact({ type, data: sentValue(data, what) }), read, timeout);
  }

  private ask<Answer>(message: string, read: (answer: string) => Answer, timeout?: number): Promise<Answer> {
    if (this.closed) return Promise.reject(closedError());
    return this.channel.request(message, read, timeout);
  }
}

const readObservation = reader('observation', checkedStep);
const readState = reader('state', checkedState);
const readRpc = reader('mcp', checkedRpc);

/** Returns a reader of answers of one type, whose data `checked` validates. It throws on other types. */
function reader<Data>(type: ServerMessage['type'], checked: (data: unknown) => Data): (message: string) => Data {
  return (message) => {
    const answer = parseMessage(message);
    if (answer.type === type) return finite(checked(answer.data), message);
    if (answer.type === 'error') throw serverError(answer.data);
    throw new OpenEnvError(
      'PROTOCOL_ERROR',
      `The server answered with a message of type ${JSON.stringify(answer.type)} where one of type "${type}" was due.`,
    );
  };
}

/** Digits of a number that may be beyond the range of JavaScript's. */
const OVERFLOW = /[eE]\+?\d{3}|\d{309}/;

/** Returns the data of a message. Throws `PROTOCOL_ERROR` when it has a number that is too large. */
function finite<Data>(data: Data, message: string): Data {
  if (!OVERFLOW.test(message)) return data;
  try {
    jsonValue(data, "The server's answer");
    return data;
  } catch (error) {
    if (!(error instanceof JsonValueError)) throw error;
    throw new OpenEnvError('PROTOCOL_ERROR', `The server sent a number that is too large: ${error.describe()}.`);
  }
}

function withoutTools(error: unknown): never {
  if (!(error instanceof OpenEnvError) || error.code !== 'UNKNOWN_TYPE') throw error;
  throw new OpenEnvError('NOT_SUPPORTED', 'The server is an old one, without tools (MCP).');
}

function closedError(): OpenEnvError {
  return new OpenEnvError('CLOSED', 'The environment was closed. openenv(…) opens another one.');
}
