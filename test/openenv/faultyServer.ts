import assert from 'node:assert/strict';
import * as net from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { OpenEnvError } from '../../kernel/openenv';

/** Returns a check for `assert.rejects` of an error's code and message. */
export const code =
  (expected: string, pattern = /./) =>
  (error: OpenEnvError) => {
    assert.equal(error.code, expected, error.message);
    assert.match(error.message, pattern);
    return true;
  };

/** Starts a server that opens sessions correctly and then misbehaves in one way. */
export async function faultyServer(
  behave: (socket: WebSocket, message: any) => void,
  greet: (socket: WebSocket) => void = () => {},
): Promise<{ url: string; close(): void }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (socket) => {
    greet(socket);
    socket.on('message', (text) => {
      const message = JSON.parse(String(text));
      if (message.type === 'state') socket.send('{"type":"state","data":{"step_count":0}}');
      else behave(socket, message);
    });
  });
  const close = (): void => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, close };
}

/**
 * A network between client and server that can be cut. It keeps its port until it is
 * closed: a free port could be taken by others.
 */
export class Network {
  private readonly lines = new Set<net.Socket>();
  private readonly listener = net.createServer((client) => this.connect(client));
  private isCut = false;
  private silent = false;

  /** @param serverPort port of the server, which may change */
  constructor(public serverPort: number) {}

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as net.AddressInfo).port}`;
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.listener.listen(0, '127.0.0.1', resolve));
  }

  private connect(client: net.Socket): void {
    if (this.isCut) return void client.on('error', () => {}).destroy();
    const server = net.connect(this.serverPort, '127.0.0.1');
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      this.lines.add(from);
      from
        .on('data', (bytes) => to.write(bytes))
        .on('error', () => {})
        .on('close', () => to.destroy());
      if (this.silent) from.pause();
    }
  }

  /** Breaks all connections, and new ones at once. */
  cut(): void {
    this.isCut = true;
    for (const line of this.lines) line.destroy();
    this.lines.clear();
  }

  /** Accepts connections again. */
  mend(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.listener.close(resolve));
    this.cut();
    await closed;
  }

  /** Holds all data back without closing connections, or lets it through again. */
  hold(silent: boolean): void {
    this.silent = silent;
    for (const line of this.lines) {
      if (silent) line.pause();
      else line.resume();
    }
  }
}
