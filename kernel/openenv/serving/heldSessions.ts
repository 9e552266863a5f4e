import type { Session } from './session';

interface Held {
  session: Session;
  /** True while a WebSocket plays in it. */
  attached: boolean;
  /** True where it is closed once that WebSocket is gone. */
  closing: boolean;
}

/**
 * Sessions that were made by `openenv/session/create` (POST /mcp), as
 * OpenEnv's tool client makes them: they live without a connection, take tool
 * calls over HTTP, and one WebSocket at a time (`/ws?session_id=…`) to reset
 * and step.
 */
export class HeldSessions {
  private readonly held = new Map<string, Held>();

  /** `admit` makes a session, or throws why there can be none. */
  constructor(private readonly admit: () => Session) {}

  get size(): number {
    return this.held.size;
  }

  get sessions(): Session[] {
    return [...this.held.values()].map(({ session }) => session);
  }

  /** A new session. Throws why there can be none. */
  create(): Session {
    const session = this.admit();
    this.held.set(session.id, { session, attached: false, closing: false });
    session.fail = () => void this.close(session.id);
    return session;
  }

  find(id: string): Session | undefined {
    return this.held.get(id)?.session;
  }

  /** Lends the session to a WebSocket. Throws what is in the way. */
  attach(id: string): Session {
    const held = this.held.get(id);
    if (!held) throw new Error(`Unknown session_id: ${id}`);
    if (held.attached) throw new Error(`Session ${id} already has an attached WebSocket`);
    held.attached = true;
    held.session.lastActivity = Date.now();
    return held.session;
  }

  /** The WebSocket is gone; the session goes on, unless it was closed meanwhile. */
  detach(id: string): void {
    const held = this.held.get(id);
    if (!held) return;
    held.attached = false;
    if (held.closing) this.close(id);
  }

  /** Closes a session: at once, or when its WebSocket is gone. */
  close(id: string): 'closed' | 'closing' | 'unknown' {
    const held = this.held.get(id);
    if (!held) return 'unknown';
    if (held.attached) {
      held.closing = true;
      return 'closing';
    }
    this.held.delete(id);
    void held.session.close();
    return 'closed';
  }

  /** Closes those that no WebSocket plays in and that nothing came for since a time. */
  reap(before: number): void {
    for (const [id, { session, attached }] of this.held) {
      if (!attached && !session.busy && session.lastActivity < before) this.close(id);
    }
  }

  /** Closes all, at the end of the server. Resolves when the environments are closed. */
  async closeAll(): Promise<void> {
    const { sessions } = this;
    this.held.clear();
    await Promise.all(sessions.map((session) => session.close()));
  }
}
