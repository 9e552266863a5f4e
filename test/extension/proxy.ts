import * as net from 'node:net';

/** A way between browser and server that can be broken. */
export interface Proxy {
  port: number;
  /** Lets nothing through, in either direction, and tells nobody: as a laptop that sleeps, or a network that drops packets. */
  stall(): void;
  /** Ends all connections, and refuses new ones. */
  cut(): void;
  /** Lets connections through again. @param lose whether those that were stalled are ended, with all that is on its way */
  restore(lose?: boolean): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of a port of this machine. */
export async function startProxy(target: number): Promise<Proxy> {
  const pairs = new Set<[net.Socket, net.Socket]>();
  let state: 'open' | 'stalled' | 'cut' = 'open';
  const server = net.createServer((client) => {
    if (state === 'cut') return client.destroy();
    const upstream = net.connect(target, '127.0.0.1');
    const pair: [net.Socket, net.Socket] = [client, upstream];
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const [from, to] of [pair, [upstream, client]]) {
      from.on('data', (data) => to.write(data));
      from.on('error', end).on('close', end);
      if (state === 'stalled') from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endAll = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  return {
    port: (server.address() as net.AddressInfo).port,
    stall() {
      state = 'stalled';
      for (const socket of [...pairs].flat()) socket.pause();
    },
    cut() {
      state = 'cut';
      endAll();
    },
    restore(lose = false) {
      if (lose) endAll();
      state = 'open';
      for (const socket of [...pairs].flat()) socket.resume();
    },
    close() {
      endAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
