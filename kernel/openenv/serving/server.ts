import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { defined } from '../../common/defined';
import { invalidArgument, launchFailed, OpenEnvError } from '../errors';
import type { EnvironmentMetadata, EnvironmentSchema } from '../protocol';
import { countArriving, HeldBytes } from './protocol/body';
import { Environment, type EnvironmentClass, type EnvironmentSettings } from './environment';
import { EpisodeRunner } from './episode';
import { Heartbeat } from './protocol/heartbeat';
import { HeldSessions } from './heldSessions';
import { httpHandler, pathOf } from './protocol/http';
import { HEAD_TIMEOUT, MAXIMUM_CONNECTIONS, MAXIMUM_MESSAGE, REQUEST_TIMEOUT, UNPLAYED } from './protocol/limits';
import {
  checkOrigins,
  isLoopback,
  originsOfEnvironment,
  refusedHost,
  refusedOrigin,
  type Access,
} from './protocol/origin';
import { sessionToYield, YIELDED, type IdleLimits } from './places';
import { contract, type Contract } from './schemas';
import { Session } from './session';
import { errorMessage, ServedConnection } from './protocol/connection';
import { errorText, isA } from './thrown';

/** Options of `serve`. */
export interface ServeOptions extends Partial<EnvironmentSettings> {
  /** TCP port. Default: 0, a free one. */
  port?: number;
  /** Address on which it listens. Default: 127.0.0.1, this machine alone; 0.0.0.0 for all. */
  host?: string;
  /**
   * Milliseconds without a message or pong of a client, after which its session is
   * closed. Clients that compute for long do not answer pings meanwhile. Default: 10
   * minutes; Infinity: no pings.
   */
  pingTimeout?: number;
  /**
   * Milliseconds after which a session that was never played is closed for a client that
   * asks for one on a full server. (One that was played is closed after half of
   * `idleTimeout`.) Default: 30 seconds; Infinity: half of `idleTimeout`.
   */
  unplayedTimeout?: number;
  /**
   * Milliseconds in which an HTTP request, or a WebSocket message, must arrive whole.
   * Default: 2 minutes, of these 20 seconds for the request's head.
   */
  requestTimeout?: number;
  /**
   * Origins whose pages may connect, beside those of this machine and the server's own,
   * and by whose names it may be reached: `https://my.example`; `*` for all. Default:
   * those of the variable `JOYLAB_ALLOWED_ORIGINS`, separated by commas.
   */
  allowedOrigins?: string[];
  /** JSON Schemas, for a class that has no `static schema`. */
  schema?: Partial<EnvironmentSchema>;
  /** Name and description, for a class that does not have them in `static metadata`. */
  metadata?: Partial<EnvironmentMetadata>;
}

/** An environment server that runs in this process. */
export interface EnvironmentServer {
  /** Its address: `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Number of open sessions. */
  readonly sessions: number;
  readonly schema: EnvironmentSchema;
  readonly metadata: EnvironmentMetadata;
  /** Returns what `render()` of the environment that plays an episode returns now; undefined where nobody plays it, or it has no `render()`. */
  render(episodeId: string): string | Uint8Array | undefined;
  /**
   * Ends all sessions and stops the server.
   *
   * @param reason message to clients with an open session
   */
  close(reason?: string): Promise<void>;
}

const DEFAULTS = {
  port: 0,
  host: '127.0.0.1',
  capacity: 64,
  idleTimeout: 30 * 60_000,
  pingTimeout: 10 * 60_000,
  unplayedTimeout: UNPLAYED,
  requestTimeout: REQUEST_TIMEOUT,
};
const TIMES = ['idleTimeout', 'pingTimeout', 'unplayedTimeout', 'requestTimeout'] as const;
const OPTION_NAMES = [...Object.keys(DEFAULTS), 'allowedOrigins', 'schema', 'metadata'];

type Settings = typeof DEFAULTS & { allowedOrigins: string[] };

/** Serves an environment: see `serve` in the index, which loads this file when it is called. */
export async function serveClass(type: EnvironmentClass<any>, options: ServeOptions): Promise<EnvironmentServer> {
  checkArguments(type, options);
  const { capacity, idleTimeout } = type;
  const settings: Settings = {
    ...DEFAULTS,
    allowedOrigins: originsOfEnvironment(),
    ...defined({ capacity, idleTimeout }),
    ...defined(options as Partial<Settings>),
  };
  checkSettings(settings);
  const served = new Served(type, contract(type, options), settings);
  await served.listen(settings);
  return served;
}

class Served implements EnvironmentServer {
  private readonly open = new Set<ServedConnection>();
  private readonly held = new HeldSessions(() => this.admit());
  private readonly http: Server;
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAXIMUM_MESSAGE,
    perMessageDeflate: false,
  });
  private readonly bytes = new HeldBytes();
  private reaper: NodeJS.Timeout | undefined;
  url = '';

  private readonly idleLimits: IdleLimits;
  private readonly heartbeat: Heartbeat;
  private readonly access: Access;

  constructor(
    private readonly type: EnvironmentClass<any>,
    private readonly contract: Contract,
    private readonly settings: Settings,
  ) {
    const { host, allowedOrigins, idleTimeout, unplayedTimeout, pingTimeout, requestTimeout } = settings;
    this.idleLimits = { unplayed: Math.min(unplayedTimeout, idleTimeout / 2), played: idleTimeout / 2 };
    this.heartbeat = new Heartbeat(pingTimeout);
    this.access = { local: isLoopback(host), allowed: allowedOrigins };
    const handler = httpHandler({
      contract,
      sessions: this.held,
      access: this.access,
      held: this.bytes,
      make: () => new EpisodeRunner(new type(), contract.outputs),
    });
    // Node.js has 0 for ever.
    const whole = Number.isFinite(requestTimeout) ? Math.ceil(requestTimeout) : 0;
    const head = Math.min(HEAD_TIMEOUT, whole || HEAD_TIMEOUT);
    this.http = createServer(
      { requestTimeout: whole, headersTimeout: head, connectionsCheckingInterval: Math.min(Math.ceil(head / 2), 5000) },
      handler,
    );
    this.http.maxConnections = settings.capacity + MAXIMUM_CONNECTIONS;
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    // A proxy is something else.
    this.http.on('connect', (_request, socket: Duplex) => refuse(socket, '405 Method Not Allowed'));
  }

  /** Upgrades a request to a WebSocket connection. */
  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const route = pathOf(request.url);
    if (route !== '/ws' && route !== '/mcp') return refuse(socket, '404 Not Found');
    if (refusedHost(request, this.access) ?? refusedOrigin(request, this.access))
      return refuse(socket, '403 Forbidden');
    socket.on('error', () => {});
    const session = (route === '/ws' && new URLSearchParams(request.url!.split('?')[1]).get('session_id')) || undefined;
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
      countArriving(socket, webSocket, this.bytes, this.settings.requestTimeout);
      this.accept(webSocket, route === '/mcp' ? 'mcp' : 'openenv', session);
    });
  }

  get sessions(): number {
    return this.connected.length + this.held.size;
  }

  /** Connections with a session of their own. */
  private get connected(): ServedConnection[] {
    return [...this.open].filter(({ session }) => !this.held.find(session.id));
  }

  get schema(): EnvironmentSchema {
    return this.contract.schema;
  }

  get metadata(): EnvironmentMetadata {
    return this.contract.metadata;
  }

  render(episodeId: string): string | Uint8Array | undefined {
    const sessions = [...[...this.open].map(({ session }) => session), ...this.held.sessions];
    return sessions.find(({ runner }) => runner.episode === episodeId)?.runner.environment.render?.();
  }

  async listen({ port, host, idleTimeout }: Settings): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, port, host)));
      this.http.listen(port, host, resolve);
    });
    const { port: used, family } = this.http.address() as AddressInfo;
    const name =
      host === '0.0.0.0' || host === '::' ? 'localhost' : family === 'IPv6' && host.includes(':') ? `[${host}]` : host;
    this.url = `http://${name}:${used}`;
    // Messages that are there already are read first: this process may not have come to it for a while.
    this.reaper = setInterval(() => setImmediate(() => this.reap()), Math.min(Math.max(idleTimeout / 4, 10), 60_000));
    this.reaper.unref();
  }

  async close(reason = 'The server was stopped.'): Promise<void> {
    clearInterval(this.reaper);
    this.heartbeat.stop();
    const closed = new Promise((resolve) => this.http.close(resolve));
    const ended = [...this.open].map((connection) => connection.end(sessionError(reason)));
    // A step that hangs is not waited for.
    await atMost(1000, Promise.all([...ended, this.held.closeAll()]));
    this.http.closeIdleConnections();
    await atMost(500, closed);
    for (const socket of this.sockets.clients) socket.terminate();
    this.http.closeAllConnections();
    this.open.clear();
  }

  /**
   * Creates a session with a new environment. Throws `CAPACITY_REACHED` when the server
   * is full, `FACTORY_ERROR` when the constructor throws.
   */
  private admit(): Session {
    const { capacity } = this.settings;
    if (this.active.length >= capacity) sessionToYield(this.active, this.idleLimits)?.fail(sessionError(YIELDED));
    const active = this.active.length;
    if (active >= capacity)
      throw new OpenEnvError('CAPACITY_REACHED', `Server at capacity: ${active}/${capacity} sessions active`, {
        active_sessions: active,
        max_sessions: capacity,
      });
    try {
      return new Session(new EpisodeRunner(new this.type(), this.contract.outputs));
    } catch (error) {
      throw new OpenEnvError('FACTORY_ERROR', `Failed to create an environment: ${errorText(error)}`, {
        factory_name: this.type.name,
      });
    }
  }

  /**
   * The sessions that count towards the capacity: one that is being closed does not,
   * since its client may reconnect as soon as it knows.
   */
  private get active(): Session[] {
    return [...this.connected.filter(({ isOpen }) => isOpen).map(({ session }) => session), ...this.held.sessions];
  }

  /** Attaches a connection to the session that it names, else to a new one. */
  private accept(socket: WebSocket, protocol: 'openenv' | 'mcp', id: string | undefined): void {
    socket.on('error', () => {}); // a broken frame or a message that is too large closes the socket, and that is enough
    try {
      const session = id === undefined ? this.admit() : this.held.attach(id);
      const connection = new ServedConnection(socket, session, {
        contract: this.contract,
        protocol,
        sessions: this.held,
        held: this.bytes,
        leave: id === undefined ? () => session.close() : () => this.held.detach(id),
      });
      this.open.add(connection);
      const { fail } = session;
      session.fail = (reason) => {
        void connection.end(reason);
        fail(reason);
      };
      this.heartbeat.watch(socket);
      socket.on('close', () => {
        session.fail = fail;
        void connection.end().finally(() => this.open.delete(connection));
      });
    } catch (error) {
      socket.send(errorMessage(isA(error, OpenEnvError) ? error : sessionError(errorText(error))));
      socket.close(1000);
    }
  }

  private reap(): void {
    const { idleTimeout } = this.settings;
    const before = Date.now() - idleTimeout;
    const reason = sessionError(`The session was closed: no message came for ${idleTimeout / 1000} s.`);
    for (const connection of this.open) {
      const { session } = connection;
      if (!session.busy && session.lastActivity <= before) void connection.end(reason);
    }
    this.held.reap(before);
  }
}

function sessionError(message: string): OpenEnvError {
  return new OpenEnvError('SESSION_ERROR', message);
}

function checkArguments(type: unknown, options: object): void {
  if (typeof type !== 'function' || !(type.prototype instanceof Environment)) {
    throw invalidArgument('serve needs a class that extends Environment: serve(MyEnvironment).');
  }
  if (type.length > 0) {
    throw invalidArgument(
      `The constructor of ${type.name} wants ${type.length === 1 ? 'an argument' : `${type.length} arguments`}, and the server makes environments without any, one for each session. Give its parameters defaults, or serve a subclass whose constructor has none.`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.includes(name))
      throw invalidArgument(`serve has no option '${name}'. The options are: ${OPTION_NAMES.join(', ')}.`);
  }
}

function checkSettings(settings: Settings): void {
  const { capacity, allowedOrigins } = settings;
  if (!Number.isInteger(capacity) || capacity < 1)
    throw invalidArgument(`capacity is ${capacity}: it has to be a whole number ≥ 1.`);
  for (const name of TIMES) {
    if (!(settings[name] > 0))
      throw invalidArgument(`${name} is ${settings[name]}: it has to be a number of milliseconds > 0, or Infinity.`);
  }
  checkOrigins(allowedOrigins);
}

/** Refuses a request to switch protocols, and ends its connection. */
function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): Error {
  if (error.code === 'EADDRINUSE')
    return launchFailed(`Port ${port} is in use. Choose another one, or leave \`port\` out for a free one.`);
  return launchFailed(`The server could not listen on ${host}:${port}: ${error.message}.`);
}

/** Waits for a promise, at most `time` milliseconds. */
async function atMost(time: number, what: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([what, new Promise((resolve) => (timer = setTimeout(resolve, time)))]);
  clearTimeout(timer);
}
