import type { WebSocket } from 'ws';
import { LONGEST } from './limits';

/** Pings that may stay without an answer before a connection is given up. */
const MISSES = 5;

/**
 * Finds out which clients are gone without a word, as where a network was cut
 * or a machine has lost its power, so that their places become free.
 *
 * #### Notes
 * Node.js answers pings on its main thread, and a notebook there may train for
 * minutes without a pause: the time has to be generous. It is counted in pings,
 * not by the clock: a server that was kept from its work itself, or slept with
 * its machine, holds that against nobody.
 */
export class Heartbeat {
  private readonly missed = new Map<WebSocket, number>();
  private timer: NodeJS.Timeout | undefined;

  /** `timeout`: milliseconds without a sign of life; Infinity: no pings. */
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
