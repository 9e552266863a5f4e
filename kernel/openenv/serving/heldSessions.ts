import type { Session } from './session';

interface Held {
  session: Session;
  /** Whether a WebSocket uses it. */
  attached: boolean;
  /** Whether it is closed once that WebSocket is gone. */
  closing: boolean;
}

/**
 * Sessions created by `openenv/session/create` (POST /mcp), as OpenEnv's tool client
 * does: they live without a connection, take tool calls over HTTP, and one WebSocket
 * at a time (`/ws?session_id=…`) to reset and step.
 */
export class HeldSessions {
  private readonly held = new Map<string, Held>();

  /** @param admit creates a session, or throws why there can be none */
  constructor(private readonly admit: () => Session) {}

  get size(): number {
    return this.held.size;
  }

  get sessions(): Session[] {
    return [...this.held.values()].map(({ session }) => session);
  }

  /** Creates a session. Throws why there can be none. */
  create(): Session {
    const session = this.admit();
    this.held.set(session.id, { session, attached: false, closing: false });
    session.fail = () => void this.close(session.id);
    return session;
  }

  find(id: string): Session | undefined {
    return this.held.get(id)?.session;
  }

  /** Attaches a WebSocket to a session. Throws when there is no such session, or it has a WebSocket already. */
  attach(id: string): Session {
    const held = this.held.get(id);
    if (!held) throw new Error(`Unknown session_id: ${id}`);
    if (held.attached) throw new Error(`Session ${id} already has an attached WebSocket`);
    held.attached = true;
    held.session.lastActivity = Date.now();
    return held.session;
  }

  /** Detaches the WebSocket from a session, which goes on unless it was closed meanwhile. */
  detach(id: string): void {
    const held = this.held.get(id);
    if (!held) return;
    held.attached = false;
    if (held.closing) this.close(id);
  }

  /** Closes a session: at once ('closed'), or when its WebSocket is gone ('closing'). */
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

  /** Closes sessions without a WebSocket that have been idle since `before` (milliseconds, as `Date.now()`). */
  reap(before: number): void {
    for (const [id, { session, attached }] of this.held) {
      if (!attached && !session.busy && session.lastActivity < before) this.close(id);
    }
  }

  /** Closes all sessions. Resolves when their environments are closed. */
  async closeAll(): Promise<void> {
    const { sessions } = this;
    this.held.clear();
    await Promise.all(sessions.map((session) => session.close()));
  }
}
