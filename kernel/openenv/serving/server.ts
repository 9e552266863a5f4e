import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { OpenEnvError } from '../errors';
import type { EnvironmentMetadata, EnvironmentSchema } from '../protocol';
import { Environment, type EnvironmentClass, type EnvironmentSettings } from './environment';
import { EpisodeRunner } from './episode';
import { httpHandler, MAXIMUM_MESSAGE } from './http';
import { contract, type Contract } from './schemas';
import { errorMessage, errorText, ServedSession } from './session';

/** Options of `serve`. */
export interface ServeOptions extends Partial<EnvironmentSettings> {
  /** Default: 0, a free one. */
  port?: number;
  /** Default: 127.0.0.1, this machine alone; 0.0.0.0 for all. */
  host?: string;
  /** JSON Schemas, for a class that has no `static schema`. */
  schema?: Partial<EnvironmentSchema>;
  /** Name and description, for a class that does not have them in `static metadata`. */
  metadata?: Partial<EnvironmentMetadata>;
}

/** An environment server that runs in this process. */
export interface EnvironmentServer {
  /** Its address: `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Sessions that are open. */
  readonly sessions: number;
  readonly schema: EnvironmentSchema;
  readonly metadata: EnvironmentMetadata;
  /**
   * Ends all sessions and stops.
   *
   * @param reason what clients with an open session are told
   */
  close(reason?: string): Promise<void>;
}

const DEFAULTS: EnvironmentSettings = { capacity: 64, idleTimeout: 30 * 60_000 };
const OPTION_NAMES = ['port', 'host', 'capacity', 'idleTimeout', 'schema', 'metadata'];

/** See `serve` in the index, which loads this file when it is needed. */
export async function serveClass(type: EnvironmentClass<any>, options: ServeOptions): Promise<EnvironmentServer> {
  checkArguments(type, options);
  const settings = { ...DEFAULTS, ...defined({ capacity: type.capacity, idleTimeout: type.idleTimeout }), ...defined({ capacity: options.capacity, idleTimeout: options.idleTimeout }) };
  checkSettings(settings);
  const served = new Served(type, contract(type, options), settings);
  await served.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  return served;
}

class Served implements EnvironmentServer {
  private readonly open = new Set<ServedSession>();
  private readonly http: Server;
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MAXIMUM_MESSAGE, perMessageDeflate: false });
  private reaper: NodeJS.Timeout | undefined;
  url = '';

  constructor(
    private readonly type: EnvironmentClass<any>,
    private readonly contract: Contract,
    private readonly settings: EnvironmentSettings,
  ) {
    this.http = createServer(httpHandler(contract, () => new type()));
    this.http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => {});
      const path = (request.url ?? '').split('?')[0];
      if (path !== '/ws' && path !== '/mcp') return void socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => void this.accept(webSocket, path === '/mcp' ? 'mcp' : 'openenv'));
    });
  }

  get sessions(): number {
    return this.open.size;
  }

  get schema(): EnvironmentSchema {
    return this.contract.schema;
  }

  get metadata(): EnvironmentMetadata {
    return this.contract.metadata;
  }

  async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, port, host)));
      this.http.listen(port, host, resolve);
    });
    const { port: used, family } = this.http.address() as AddressInfo;
    const name = host === '0.0.0.0' || host === '::' ? 'localhost' : family === 'IPv6' && host.includes(':') ? `[${host}]` : host;
    this.url = `http://${name}:${used}`;
    // Messages that are there already are read first: this process may not have come to it for a while.
    this.reaper = setInterval(() => setImmediate(() => this.reap()), Math.min(Math.max(this.settings.idleTimeout / 4, 10), 60_000));
    this.reaper.unref();
  }

  async close(reason = 'The server was stopped.'): Promise<void> {
    clearInterval(this.reaper);
    const closed = new Promise((resolve) => this.http.close(resolve));
    const ended = [...this.open].map((session) => session.end({ code: 'SESSION_ERROR', message: reason }));
    await Promise.race([Promise.all(ended), pause(1000)]);
    setTimeout(() => this.sockets.clients.forEach((socket) => socket.terminate()), 500).unref();
    this.http.closeIdleConnections();
    await Promise.race([closed, pause(1000).then(() => this.http.closeAllConnections())]);
  }

  private async accept(socket: WebSocket, protocol: 'openenv' | 'mcp'): Promise<void> {
    socket.on('error', () => {}); // a broken frame or a message that is too large closes the socket, and that is enough
    const { capacity } = this.settings;
    // A session that is being closed makes room at once: its client may come again as soon as it knows.
    const active = [...this.open].filter((session) => session.isOpen).length;
    if (active >= capacity) {
      const words = `Server at capacity: ${active}/${capacity} sessions active`;
      socket.send(errorMessage('CAPACITY_REACHED', words, { active_sessions: active, max_sessions: capacity }));
      return socket.close(1000);
    }
    try {
      const session = new ServedSession(socket, new EpisodeRunner(new this.type()), this.contract, protocol);
      this.open.add(session);
      socket.on('close', () => void session.end().finally(() => this.open.delete(session)));
    } catch (error) {
      socket.send(errorMessage('FACTORY_ERROR', `Failed to create an environment: ${errorText(error)}`, { factory_name: this.type.name }));
      socket.close(1000);
    }
  }

  private reap(): void {
    const { idleTimeout } = this.settings;
    for (const session of this.open) {
      if (session.busy || Date.now() - session.lastActivity < idleTimeout) continue;
      void session.end({ code: 'SESSION_ERROR', message: `The session was closed: no message came for ${idleTimeout / 1000} s.` });
    }
  }
}

function checkArguments(type: unknown, options: object): void {
  if (typeof type !== 'function' || !(type.prototype instanceof Environment)) {
    throw new OpenEnvError('INVALID_ARGUMENT', 'serve needs a class that extends Environment: serve(MyEnvironment).');
  }
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.includes(name)) throw new OpenEnvError('INVALID_ARGUMENT', `serve has no option '${name}'. The options are: ${OPTION_NAMES.join(', ')}.`);
  }
}

function checkSettings({ capacity, idleTimeout }: EnvironmentSettings): void {
  if (!Number.isInteger(capacity) || capacity < 1) throw new OpenEnvError('INVALID_ARGUMENT', `capacity is ${capacity}: it has to be a whole number ≥ 1.`);
  if (!(idleTimeout > 0)) throw new OpenEnvError('INVALID_ARGUMENT', `idleTimeout is ${idleTimeout}: it has to be a number of milliseconds > 0, or Infinity.`);
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): Error {
  if (error.code === 'EADDRINUSE') return new OpenEnvError('LAUNCH_FAILED', `Port ${port} is in use. Choose another one, or leave \`port\` out for a free one.`);
  return new OpenEnvError('LAUNCH_FAILED', `The server could not listen on ${host}:${port}: ${error.message}.`);
}

function defined<Values extends object>(values: Values): Partial<Values> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Values>;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
