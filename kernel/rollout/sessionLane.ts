import { OpenEnvError } from '../openenv/errors';
import type { Game, Lane, Table } from './play';
import type { SchemaActions } from './schemaActions';
import { SessionGame } from './sessionGame';
import type { GameSession, SessionServer } from './sessions';

/** Milliseconds between two looks for room on full servers: the first wait, and the longest. */
const WAIT = { first: 20, longest: 1000 };
/** Milliseconds that a rollout waits for its first session on full servers. */
const PATIENCE = 120_000;
/** Milliseconds that a server which played before may be out of reach, by default. */
const OUTAGE = 30_000;
/** How often a server may lose sessions, without a game that came to its end in between. */
const STRIKES = 4;

/** A server in this rollout. */
interface Host {
  server: SessionServer;
  /** Sessions that are open here. */
  open: number;
  /** Whether it was ever there: gave a session, or said that it is full. */
  reached: boolean;
  /** Since when it is out of reach. */
  failing?: number;
  /** How often sessions were lost since a game came to its end. What was open at one loss counts with it: a cut takes all. */
  strikes: number;
  /** When the last strike was. */
  struck: number;
  /** Why it was given up. */
  lost?: OpenEnvError;
}

/**
 * Plays games over OpenEnv sessions, one game at a time in each. Sessions are
 * opened as long as games wait and a server has room, evenly over the servers,
 * and given back as soon as no game waits.
 *
 * A game whose session is lost is played once more, from its start, after the
 * others: it may be what broke the server. A server that cannot be reached is
 * not asked again. What cannot be played ends as `environment_error`.
 */
export class SessionLane implements Lane {
  private readonly hosts: Host[];
  private readonly again: Game[] = [];
  private readonly sessions = new Set<GameSession>();
  private readonly repeated = new Set<number>();

  /** `outage`: milliseconds that a server which played before may be out of reach. */
  constructor(servers: readonly SessionServer[], private readonly actions: SchemaActions, private readonly outage = OUTAGE) {
    this.hosts = servers.map((server) => ({ server, open: 0, reached: false, strikes: 0, struck: 0 }));
  }

  async play(table: Table): Promise<void> {
    const playing = new Set<Promise<void>>();
    let [wait, empty] = [WAIT.first, performance.now()];
    while (!table.aborted()) {
      const waiting = this.again.length > 0 || table.waiting();
      if (!waiting && playing.size === 0) break;
      const found = waiting && playing.size < table.slots ? await this.open(table) : 'busy' as const;
      if (typeof found === 'object') {
        wait = WAIT.first;
        const game: Promise<void> = this.playOn(found.host, found.session, table).finally(() => playing.delete(game));
        playing.add(game);
        continue;
      }
      if (playing.size > 0 || table.sessions(0) > 0) empty = performance.now();
      const idle = performance.now() - empty;
      if (playing.size === 0 && (found === 'none' || idle > PATIENCE)) break;
      if ((found === 'full' || found === 'away') && table.sessions(0) === 0) table.waits(found, idle);
      await Promise.race(found === 'full' || found === 'away' ? [...playing, pause(wait)] : playing);
      wait = Math.min(2 * wait, WAIT.longest);
    }
    await Promise.all(playing);
    if (!table.aborted()) this.giveUp(table);
  }

  /** Closes what is open; games under way end. */
  async close(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => session.close().catch(() => {})));
  }

  /** A session on the server with the fewest; 'full' where none has room now, 'away' where none answers now, 'none' where no server is left. */
  private async open(table: Table): Promise<{ host: Host; session: GameSession } | 'full' | 'away' | 'none'> {
    const left = this.hosts.filter(({ lost }) => !lost).sort((a, b) => a.open - b.open);
    for (const host of left) {
      try {
        const session = await host.server.open();
        host.open++;
        table.sessions(1);
        host.reached = true;
        delete host.failing;
        return { host, session };
      } catch (error) {
        this.unreachable(host, error as OpenEnvError);
      }
    }
    const still = left.filter(({ lost }) => !lost);
    return still.length === 0 ? 'none' : still.every(({ failing }) => failing !== undefined) ? 'away' : 'full';
  }

  private unreachable(host: Host, error: OpenEnvError): void {
    if (error.code === 'CAPACITY_REACHED') {
      host.reached = true;
      return void delete host.failing;
    }
    host.failing ??= performance.now();
    if (!host.reached || performance.now() - host.failing > this.outage) host.lost = error;
  }

  /** Plays games in a session as long as there are any. */
  private async playOn(host: Host, session: GameSession, table: Table): Promise<void> {
    let usable = true;
    const opened = performance.now();
    this.sessions.add(session);
    try {
      while (usable && !host.lost && !table.aborted()) {
        const game = table.take() ?? this.again.shift();
        if (!game) break;
        const player = await table.seat(game);
        const attempt = new SessionGame(game, player, this.actions);
        const error = await attempt.play(session, table.aborted).finally(() => player.dispose());
        usable = !error;
        if (usable) host.strikes = 0;
        else if (opened > host.struck) this.strike(host, error!);
        if (usable || this.repeated.has(game.id) || table.aborted()) {
          table.done(attempt.played());
        } else {
          this.again.push(game);
          this.repeated.add(game.id);
        }
      }
    } finally {
      host.open--;
      this.sessions.delete(session);
      await session.close().catch(() => {});
      table.sessions(-1);
    }
  }

  private strike(host: Host, error: OpenEnvError): void {
    host.struck = performance.now();
    if (++host.strikes >= STRIKES) host.lost = error;
  }

  /** Ends the games that are left when no server is: all, where no other lane of the rollout plays. */
  private giveUp(table: Table): void {
    const lost = this.hosts.find((host) => host.lost)?.lost;
    const servers = this.hosts.map(({ server }) => server.name).join(', ');
    const full = new OpenEnvError('CAPACITY_REACHED', `No session of ${servers} became free within ${PATIENCE / 1000} s. Close other sessions, or start the server with room for more (max_concurrent_envs).`);
    for (;;) {
      const game = this.again.shift() ?? (table.sessions(0) === 0 ? table.take() : undefined);
      if (!game) return;
      table.done(SessionGame.unplayed(game, this.actions, lost ?? full));
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
