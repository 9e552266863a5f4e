import type { WebSocket } from 'ws';
import { LONGEST } from './limits';

/** Unanswered pings after which a connection is ended. */
const MISSES = 5;

/**
 * Ends connections whose clients are gone without closing them, such as after a cut of
 * the network or of the power, so that their sessions become free.
 *
 * #### Notes
 * Node.js answers pings on its main thread, and a notebook may train there for minutes
 * without a pause: the timeout has to be generous. It is counted in pings, not by the
 * clock: time in which the server itself was busy or suspended does not count against
 * a client.
 */
export class Heartbeat {
  private readonly missed = new Map<WebSocket, number>();
  private timer: NodeJS.Timeout | undefined;

  /** @param timeout milliseconds without a message or pong after which a connection is ended; Infinity: no pings */
  constructor(private readonly timeout: number) {}

  watch(socket: WebSocket): void {
    if (this.timeout === Infinity) return;
    const alive = (): void => void this.missed.set(socket, 0);
    alive();
    socket
      .on('pong', alive)
      .on('message', alive)
      .on('close', () => this.missed.delete(socket));
    this.timer ??= setInterval(() => setImmediate(() => this.beat()), Math.min(this.timeout / MISSES, LONGEST)).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private beat(): void {
    for (const [socket, missed] of this.missed) {
      // Its answers are not read, as its messages wait for the environment.
      if (socket.isPaused && socket.bufferedAmount === 0) continue;
      if (missed >= MISSES) {
        socket.terminate();
        continue;
      }
      this.missed.set(socket, missed + 1);
      socket.ping();
    }
  }
}
