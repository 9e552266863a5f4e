import { OpenEnvClient, type ClientOptions } from '../../openenv/client';
import { OpenEnvError } from '../../openenv/errors';
import type { EpisodeState, StepResult } from '../../openenv/protocol';
import type { Picture, VectorEnv, VectorEnvs, VectorSource, VectorStep } from '../vectorEnv';
import { vectorStep, type ReadObservation } from '../vectorStep';

/** OpenEnv servers of one environment, as a source of vector environments. */
export interface SessionSource
  extends VectorSource,
    Pick<ClientOptions, 'connectTimeout' | 'messageTimeout' | 'headers'> {
  /** Their addresses. */
  servers: string[];
  /** Milliseconds that a server which was reached before may be out of reach; default 30,000. */
  reconnectTimeout?: number;
  /** The reader of observations: a module that exports a {@link MakeObservationReader} as `observationReader`, and its argument. */
  reader?: { module: string; options: object };
  /** Whether the class of the servers draws their episodes in the process of the notebook, by their IDs. */
  drawn?: boolean;
}

/** Returns a reader of observations for the options of a {@link SessionSource.reader}. */
export type MakeObservationReader = (options: object) => ReadObservation;

/** A session with an OpenEnv server, with one episode at a time. */
export interface Session {
  reset(args: { seed: number }): Promise<StepResult>;
  step(action: object): Promise<StepResult>;
  state(): Promise<EpisodeState>;
  close(): Promise<void>;
}

/** Opens sessions with one server. */
export interface SessionServer {
  /** Its address. */
  readonly name: string;
  /** Opens a session. Rejects with `CAPACITY_REACHED` when the server has none left. */
  open(): Promise<Session>;
}

/** Returns what opens sessions with the servers of a source. */
export function openVectorEnvs({
  servers,
  connectTimeout,
  messageTimeout,
  headers,
  reconnectTimeout,
  reader,
  drawn,
}: SessionSource): VectorEnvs {
  // Rollouts themselves wait for free sessions and lost servers.
  const options: ClientOptions = { connectTimeout, messageTimeout, headers, capacityTimeout: 0, reconnectTimeout: 0 };
  const make = reader && (require(reader.module) as { observationReader: MakeObservationReader }).observationReader;
  return new SessionEnvs(
    servers.map((url) => ({ name: url, open: () => OpenEnvClient.connect(url, options) })),
    reconnectTimeout,
    make?.(reader!.options),
    drawn,
  );
}

/** Milliseconds that a server which was reached before may be out of reach, by default. */
const OUTAGE = 30_000;
/** Losses of sessions, without a finished episode in between, after which a server is given up. */
const LOSSES = 4;

/** A server and its state. */
interface ServerState {
  server: SessionServer;
  /** Sessions that are open here. */
  open: number;
  /** Whether it has ever answered: opened a session, or refused one because it was full. */
  reached: boolean;
  /** Time since which it is out of reach. */
  failing?: number;
  /** Number of losses since an episode finished. Sessions that were open at one loss count as one: a broken network loses all. */
  losses: number;
  /** Time of the last loss. */
  lostAt: number;
  /** The reason why it was given up. */
  gone?: OpenEnvError;
}

/**
 * Sessions with some servers, each a vector environment of one sub-environment,
 * so that none waits for another. They are spread evenly over the servers. A
 * server that cannot be reached, or loses one session after the other, is given
 * up.
 */
export class SessionEnvs implements VectorEnvs {
  readonly replaces = true;
  private readonly servers: ServerState[];
  private readonly sessions = new Set<SessionEnv>();

  /**
   * @param outage milliseconds that a server which was reached before may be out of reach
   * @param read returns what policies see of an observation
   * @param drawn whether episodes have pictures, by their IDs
   */
  constructor(
    servers: readonly SessionServer[],
    private readonly outage = OUTAGE,
    private readonly read?: ReadObservation,
    private readonly drawn = false,
  ) {
    this.servers = servers.map((server) => ({ server, open: 0, reached: false, losses: 0, lostAt: 0 }));
  }

  /** Opens a session with the server that has the fewest. */
  async open(): Promise<VectorEnv | 'full' | 'away' | 'none'> {
    const left = this.servers.filter(({ gone }) => !gone).sort((a, b) => a.open - b.open);
    for (const state of left) {
      try {
        return this.opened(state, await state.server.open());
      } catch (error) {
        this.unreachable(state, error as OpenEnvError);
      }
    }
    const still = left.filter(({ gone }) => !gone);
    return still.length === 0 ? 'none' : still.every(({ failing }) => failing !== undefined) ? 'away' : 'full';
  }

  failure(waited: number): OpenEnvError {
    const gone = this.servers.find((state) => state.gone)?.gone;
    const names = this.servers.map(({ server }) => server.name).join(', ');
    return (
      gone ??
      new OpenEnvError(
        'CAPACITY_REACHED',
        `No session of ${names} became free within ${waited / 1000} s. Close other sessions, or start the server with room for more (max_concurrent_envs).`,
      )
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => session.close()));
  }

  private opened(state: ServerState, session: Session): VectorEnv {
    state.open++;
    state.reached = true;
    delete state.failing;
    const since = performance.now();
    const env = new (this.drawn ? DrawnSessionEnv : SessionEnv)(session, this.read, {
      lost: (error) => {
        if (since <= state.lostAt) return;
        state.lostAt = performance.now();
        if (++state.losses >= LOSSES) state.gone = error;
      },
      played: () => void (state.losses = 0),
      closed: () => {
        state.open--;
        this.sessions.delete(env);
      },
    });
    this.sessions.add(env);
    return env;
  }

  private unreachable(state: ServerState, error: OpenEnvError): void {
    if (error.code === 'CAPACITY_REACHED') {
      state.reached = true;
      return void delete state.failing;
    }
    state.failing ??= performance.now();
    if (!state.reached || performance.now() - state.failing > this.outage) state.gone = error;
  }
}

/** Events of a session: its connection broke, an episode finished, it was closed. */
interface SessionEvents {
  lost(error: OpenEnvError): void;
  played(): void;
  closed(): void;
}

/** A session as a vector environment. */
class SessionEnv implements VectorEnv {
  readonly numEnvs = 1;
  /** Whether there is an episode whose session is not lost. */
  private playing = false;
  private isClosed = false;

  constructor(
    protected readonly session: Session,
    private readonly read: ReadObservation | undefined,
    private readonly events: SessionEvents,
  ) {}

  reset(_: number[], [seed]: number[]): Promise<VectorStep> {
    this.ended();
    return this.ask(async () => {
      const result = await this.session.reset({ seed });
      this.playing = true;
      return result;
    });
  }

  step(_: number[], [action]: unknown[]): Promise<VectorStep> {
    return this.ask(() => this.session.step(action as object));
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.ended();
    this.events.closed();
    await this.session.close().catch(() => {});
  }

  private ended(): void {
    if (this.playing) this.events.played();
    this.playing = false;
  }

  private async ask(request: () => Promise<StepResult>): Promise<VectorStep> {
    try {
      return vectorStep([await request()], this.read);
    } catch (error) {
      if (!(error instanceof OpenEnvError)) throw error;
      if (error.code === 'EXECUTION_ERROR' || error.code === 'VALIDATION_ERROR') return vectorStep([error]);
      this.playing = false;
      if (!this.isClosed) this.events.lost(error);
      throw error;
    }
  }
}

/** One whose class draws its episodes in the process of the notebook. */
class DrawnSessionEnv extends SessionEnv {
  private picture: Picture | undefined | null = null;

  override reset(...args: Parameters<SessionEnv['reset']>): Promise<VectorStep> {
    this.picture = null;
    return super.reset(...args);
  }

  async render(): Promise<Array<Picture | undefined>> {
    if (this.picture === null) {
      const { episode_id: episodeId } = await this.session.state();
      this.picture = typeof episodeId === 'string' ? { episodeId } : undefined;
    }
    return [this.picture];
  }
}
