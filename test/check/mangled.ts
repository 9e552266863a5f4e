import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** A server in front of another that changes its answers. */
export interface Mangled {
  url: string;
  close(): void;
}

/**
 * Starts a server that passes everything on to another one.
 *
 * @param change changes a message of the other server, or does something beside
 */
export async function mangled(url: string, change: (answer: any) => void): Promise<Mangled> {
  const server = http.createServer(async (request, response) => {
    const answer = await fetch(url + request.url);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  const sockets = new WebSocketServer({ server });
  const all = new Set<WebSocket>();
  sockets.on('connection', (client, { url: path }) => {
    const upstream = new WebSocket(url.replace('http', 'ws') + path);
    const ready = new Promise((resolve) => upstream.once('open', resolve));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ]) {
      all.add(from);
      from.on('close', () => to.close()).on('error', () => to.terminate());
    }
    client.on('message', async (text) => {
      await ready;
      upstream.send(String(text));
    });
    upstream.on('message', (text) => {
      const answer = JSON.parse(String(text));
      change(answer);
      if (client.readyState === WebSocket.OPEN) client.send(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of all) socket.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
}
