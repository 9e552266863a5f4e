import { validateHeaderName, validateHeaderValue } from 'node:http';
import { cellContext } from '../../display/cellContext';
import { StatusLine } from '../../display/progress/statusLine';
import { OpenEnvClient, type ClientOptions } from '../../openenv/client';
import { invalidArgument } from '../../openenv/errors';
import { readTarget, TARGET_OPTIONS, type Server, type Target, type TargetOptions } from '../../openenv/launch/target';
import { nearestFirst } from '../../common/names';

const CONNECTION_OPTIONS = [
  'connectTimeout',
  'messageTimeout',
  'resetTimeout',
  'capacityTimeout',
  'reconnectTimeout',
  'pingInterval',
  'pingTimeout',
  'maxMessageSize',
  'headers',
] as const;

/** Options of `openenv(target, …)`. Times in milliseconds. */
export interface RemoteOptions extends Pick<ClientOptions, (typeof CONNECTION_OPTIONS)[number]>, TargetOptions {
  /** Addresses of further servers of the same environment: rollouts play on all of them. */
  servers?: string[];
  /** Sessions that a rollout opens at a time, at most; by default as many as the servers allow, up to 32. */
  maxSessions?: number;
  /** For a reset, or a rollout, to reach a server again whose connection was lost; default 30,000. */
  reconnectTimeout?: number;
}

/** A session with the server of a target, and the server, if it was started for that. */
export class Connection {
  /** The open connections. When a server is full, that of an earlier cell may be released. */
  private static readonly all = new Set<Connection>();

  closed = false;
  /** The signal of the cell that opened it: each cell has its own. */
  private readonly cell = cellContext().signal;
  private server!: Server;
  /** Resolves when a server runs in place of one that has ended; all resets meanwhile wait for it. */
  private reviving: Promise<void> | undefined;
  /** The session. */
  client!: OpenEnvClient;

  private constructor(
    readonly target: Target,
    private readonly options: RemoteOptions,
  ) {}

  /** Starts the server of a target if it does not run, and opens a session with it. Rejects with an OpenEnvError. */
  static async open(text: string, options: RemoteOptions): Promise<Connection> {
    const target = checkedTarget(text, options);
    const connection = new Connection(target, options);
    await connection.connect();
    return connection;
  }

  /** The server's address. */
  get url(): string {
    return this.server.url;
  }

  /** Starts the server again, if it was started here and has ended. Called before each reset. */
  async revive(): Promise<void> {
    if (this.server.exit === undefined || this.closed) return;
    await (this.reviving ??= this.connect().finally(() => (this.reviving = undefined)));
  }

  /** Opens another session with the server. */
  newSession(options: ClientOptions = {}): Promise<OpenEnvClient> {
    return OpenEnvClient.connect(this.url, { ...this.clientOptions(), ...options });
  }

  /** Ends the session, and the server if it was started here. */
  async close(): Promise<void> {
    this.closed = true;
    Connection.all.delete(this);
    await this.client.close();
    await this.server.close();
  }

  private async connect(): Promise<void> {
    this.server = await this.startServer();
    try {
      // The signal is that of the cell: it ends the waiting, not the session.
      this.client = await OpenEnvClient.connect(this.url, this.clientOptions());
      Connection.all.add(this);
    } catch (error) {
      await this.server.close();
      throw error;
    }
  }

  private async startServer(): Promise<Server> {
    const { target } = this;
    const line = target.kind === 'url' ? undefined : new StatusLine(`Starting ${target.name}`);
    try {
      const server = await target.start({ signal: cellContext().signal, onProgress: (text) => line?.update(text) });
      line?.end(`${target.name} runs at ${server.url}`);
      return server;
    } catch (error) {
      line?.end(`${target.name} did not start`);
      throw error;
    }
  }

  private clientOptions(): ClientOptions {
    const chosen = Object.fromEntries(
      CONNECTION_OPTIONS.filter((name) => this.options[name] !== undefined).map((name) => [name, this.options[name]]),
    );
    const { server } = this;
    return {
      ...chosen,
      waitSignal: () => cellContext().signal,
      explainLoss: async () => server.explainLoss?.(),
      freeSession: () => this.freeSession(),
      ...waitingLine(),
    };
  }

  /**
   * Releases the earliest session of another run of a cell that is idle, and
   * returns whether there was one: when a cell runs again, its earlier run may
   * occupy the only session of a server. The environment of the released session
   * opens another when it is reset.
   */
  private async freeSession(): Promise<boolean> {
    const now = cellContext().signal;
    const other = [...Connection.all].find(
      (it) => it !== this && it.url === this.url && it.cell !== now && it.client.connected && !it.client.busy,
    );
    await other?.client.release(
      'The server was full, and the session was given to an environment that was opened later.',
    );
    return other !== undefined;
  }
}

/** Returns handlers that show a line for each wait. */
function waitingLine(): Required<Pick<ClientOptions, 'onWait' | 'onWaited'>> {
  let line: StatusLine | undefined;
  return {
    onWait: (text) => (line ??= new StatusLine('Waiting')).update(text),
    onWaited: (successful) => {
      line?.end(successful ? 'Waited: there it is' : 'Waited in vain');
      line = undefined;
    },
  };
}

/** Returns the target of a text. Throws `INVALID_ARGUMENT` when it, or an option for it, is not valid. */
export function checkedTarget(text: string, options: RemoteOptions): Target {
  if (typeof options !== 'object')
    throw invalidArgument(
      `The options of openenv are an object, such as { messageTimeout: 60000 }, not ${JSON.stringify(options)}.`,
    );
  const target = readTarget(text, options);
  if (!target) throw invalidArgument(`'${text}' is no address, Docker image, Space or folder.`);
  const valid = [...TARGET_OPTIONS[target.kind], ...CONNECTION_OPTIONS, 'servers', 'maxSessions'];
  for (const [name, value] of Object.entries(options)) {
    if (!valid.includes(name))
      throw invalidArgument(
        `There is no option '${name}' for a ${KIND_NAMES[target.kind]}. The options are: ${nearestFirst(name, valid).join(', ')}.`,
      );
    if (/Timeout$|Interval$|Size$/.test(name) && value !== undefined && !(typeof value === 'number' && value >= 0)) {
      throw invalidArgument(
        `${name} is ${String(value)}: it has to be a number ≥ 0, in ${name.endsWith('Size') ? 'bytes' : 'milliseconds'}.`,
      );
    }
  }
  const { maxSessions, headers, servers } = options;
  if (maxSessions !== undefined && !(Number.isInteger(maxSessions) && maxSessions >= 1))
    throw invalidArgument(`maxSessions is ${maxSessions}: it has to be a whole number ≥ 1.`);
  if (headers !== undefined) checkHeaders(headers);
  if (servers !== undefined && !(Array.isArray(servers) && servers.every((url) => typeof url === 'string')))
    throw invalidArgument("servers has to be a list of addresses, such as ['http://localhost:8001'].");
  return target;
}

/** Throws `INVALID_ARGUMENT` for a header that HTTP does not allow. Values are not shown: they may be secrets. */
function checkHeaders(headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers ?? {})) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (error) {
      throw invalidArgument(
        `headers has ${JSON.stringify(name)}, which HTTP does not allow: ${(error as NodeJS.ErrnoException).code === 'ERR_INVALID_HTTP_TOKEN' ? 'a name has letters, digits and hyphens only' : 'its value has to be a text of one line'}.`,
      );
    }
  }
}

const KIND_NAMES = { url: "server's address", image: 'Docker image', space: 'Space', folder: 'folder' };
