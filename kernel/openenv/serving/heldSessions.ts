import type { Seat } from './seat';

interface Held {
  seat: Seat;
  /** Whether a WebSocket plays in it. */
  attached: boolean;
  /** Whether it is closed once that WebSocket is gone. */
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

  /** `admit` gives a seat, or throws why there is none. */
  constructor(private readonly admit: () => Seat) {}

  get size(): number {
    return this.held.size;
  }

  /** Their seats. */
  get seats(): Seat[] {
    return [...this.held.values()].map(({ seat }) => seat);
  }

  /** A new session. Throws why there can be none. */
  create(): Seat {
    const seat = this.admit();
    this.held.set(seat.id, { seat, attached: false, closing: false });
    seat.fail = () => void this.close(seat.id);
    return seat;
  }

  find(id: string): Seat | undefined {
    return this.held.get(id)?.seat;
  }

  /** Lends the session to a WebSocket. Throws what is in the way. */
  attach(id: string): Seat {
    const held = this.held.get(id);
    if (!held) throw new Error(`Unknown session_id: ${id}`);
    if (held.attached) throw new Error(`Session ${id} already has an attached WebSocket`);
    held.attached = true;
    held.seat.lastActivity = Date.now();
    return held.seat;
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
    void held.seat.close();
    return 'closed';
  }

  /** Closes those that no WebSocket plays in and that nothing came for since a time. */
  reap(before: number): void {
    for (const [id, { seat, attached }] of this.held) {
      if (!attached && !seat.busy && seat.lastActivity < before) this.close(id);
    }
  }

  /** Closes all, at the end of the server. Resolves when the environments are closed. */
  async closeAll(): Promise<void> {
    const { seats } = this;
    this.held.clear();
    await Promise.all(seats.map((seat) => seat.close()));
  }
}
