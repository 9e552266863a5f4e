import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a test sees it. */
export interface Asked {
  /** Number of the request, from 1. */
  count: number;
  url: string;
  headers: IncomingMessage['headers'];
  body: any;
}

/** Starts a server that answers by OpenAI's protocol as a test says. */
export async function faultyServer(
  behave: (asked: Asked, response: ServerResponse) => void,
): Promise<{ baseUrl: string; asked: Asked[]; close(): Promise<void> }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const { url = '', headers } = request;
      asked.push({ count: asked.length + 1, url, headers, body: text === '' ? null : JSON.parse(text) });
      behave(asked.at(-1)!, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked, close };
}

export function json(response: ServerResponse, status: number, body: object, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Answers with a completion of 10 + 5 tokens. */
export function completion(response: ServerResponse, content = 'hello'): void {
  json(response, 200, {
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  });
}
