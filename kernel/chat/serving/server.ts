import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { resolveSettings } from '../../common/settings';
import type { CausalLM } from '../../models';
import { HeldBytes, readBody, Refused } from '../../openenv/serving/protocol/body';
import { pathOf } from '../../openenv/serving/protocol/http';
import { HEAD_TIMEOUT, REQUEST_TIMEOUT } from '../../openenv/serving/protocol/limits';
import {
  checkOrigins,
  isLoopback,
  originsOfEnvironment,
  refusedHost,
  refusedOrigin,
  type Access,
} from '../../openenv/serving/protocol/origin';
import { keyOfEnvironment } from '../apiKey';
import { completionBody, streamCompletion, type CompletionContext } from './completions';
import { ApiError } from './protocol';
import { readRequest } from './request';
import { serveModelDeclaration, type ServeModelOptions } from './settings';
import { Turns } from './turns';

/** A server of a model that runs in this process. */
export interface ModelServer {
  /** Its address with OpenAI's path, which clients want: `http://127.0.0.1:8001/v1`. */
  readonly baseUrl: string;
  /** The name by which clients ask for the model. */
  readonly name: string;
  /** Ends what is being generated, and stops the server. */
  close(): Promise<void>;
}

/** Serves a model: see `serveModel` in the index, which loads this file when it is called. */
export async function startServer(model: CausalLM, options: ServeModelOptions): Promise<ModelServer> {
  const { port, host, name, apiKeyEnv, allowedOrigins } = resolveSettings(serveModelDeclaration, options);
  const allowed = allowedOrigins ?? originsOfEnvironment();
  checkOrigins(allowed);
  const served = new Served(
    { model, name: name ?? nameOf(model.modelName), turns: new Turns() },
    { local: isLoopback(host), allowed },
    apiKeyEnv === null ? null : keyOfEnvironment(apiKeyEnv),
  );
  await served.listen(port, host);
  return served;
}

/** Returns the last part of a folder, and any other name as it is. */
function nameOf(modelName: string): string {
  return existsSync(modelName) ? basename(resolve(modelName)) : modelName;
}

class Served implements ModelServer {
  baseUrl = '';
  private readonly http: Server;
  private readonly held = new HeldBytes();
  private readonly ended = new AbortController();
  private readonly createdAt = Math.floor(Date.now() / 1000);

  constructor(
    private readonly context: CompletionContext,
    private readonly access: Access,
    private readonly key: string | null,
  ) {
    this.http = createServer({ requestTimeout: REQUEST_TIMEOUT, headersTimeout: HEAD_TIMEOUT }, (request, response) => {
      void this.answer(request, response);
    });
  }

  get name(): string {
    return this.context.name;
  }

  async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new Error(
            error.code === 'EADDRINUSE'
              ? `Port ${port} is in use. Choose another one, or leave port out for a free one.`
              : `The server could not listen on ${host}:${port}: ${error.message}.`,
          ),
        ),
      );
      this.http.listen(port, host, resolve);
    });
    const { port: used, family } = this.http.address() as AddressInfo;
    const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : family === 'IPv6' ? `[${host}]` : host;
    this.baseUrl = `http://${shown}:${used}/v1`;
  }

  async close(): Promise<void> {
    this.ended.abort(new Error('The server was stopped.'));
    const closed = new Promise((resolve) => this.http.close(resolve));
    this.http.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('The client has gone.')));
    response.on('error', () => {});
    try {
      await this.route(request, response, AbortSignal.any([gone.signal, this.ended.signal]));
    } catch (error) {
      fail(response, error);
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { method } = request;
    const path = pathOf(request.url);
    const origin = request.headers.origin;
    const stranger = refusedHost(request, this.access) ?? (refusedOrigin(request, this.access) && OTHER_SITE);
    if (stranger) throw new ApiError(403, stranger, null, 'origin_not_allowed');
    if (origin !== undefined) allowPage(response, origin);
    if (method === 'OPTIONS') return void response.writeHead(204).end();
    if (path === '/health') return send(response, 200, { status: 'healthy' });
    this.checkKey(request);
    if (path === '/v1/chat/completions') {
      if (method !== 'POST') throw new ApiError(405, `${path} takes POST, not ${method}.`);
      return this.complete(await readBody(request, response, this.held), response, signal);
    }
    if (path === '/v1/models') return send(response, 200, { object: 'list', data: [this.card()] });
    if (path.startsWith('/v1/models/')) {
      this.checkModel(decodedPath(path.slice('/v1/models/'.length)));
      return send(response, 200, this.card());
    }
    throw new ApiError(404, `There is no ${path}. Routes: /v1/chat/completions, /v1/models, /health.`);
  }

  private async complete(body: string, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const request = readRequest(body);
    this.checkModel(request.model);
    if (request.stream) return streamCompletion(request, this.context, response, signal);
    send(response, 200, await completionBody(request, this.context, signal));
  }

  private checkModel(name: string): void {
    if (name !== this.name)
      throw new ApiError(
        404,
        `There is no model ${JSON.stringify(name)} here; there is ${JSON.stringify(this.name)}.`,
        'model',
        'model_not_found',
      );
  }

  private checkKey({ headers: { authorization = '' } }: IncomingMessage): void {
    if (this.key === null) return;
    const digest = (text: string) => createHash('sha256').update(text).digest();
    if (!timingSafeEqual(digest(authorization.replace(/^Bearer\s+/i, '')), digest(this.key)))
      throw new ApiError(401, 'The key is missing or wrong: send Authorization: Bearer KEY.', null, 'invalid_api_key');
  }

  private card(): object {
    return { id: this.name, object: 'model', created: this.createdAt, owned_by: 'joylab' };
  }
}

const OTHER_SITE =
  'Pages of other sites may not ask this server, unless they are allowed (allowedOrigins, JOYLAB_ALLOWED_ORIGINS).';

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Lets a page of another origin that may ask read the answer. */
function allowPage(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'origin');
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', 'authorization, content-type');
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  if (response.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers });
  response.end(bytes);
}

/** Answers with an error; in a stream that has begun, as its last event. */
function fail(response: ServerResponse, error: unknown): void {
  const known =
    error instanceof ApiError
      ? error
      : error instanceof Refused
        ? new ApiError(error.status, error.message)
        : new ApiError(500, (error as Error)?.message ?? String(error));
  if (response.destroyed) return;
  if (response.headersSent) return void response.end(`data: ${JSON.stringify(known.body)}\n\n`);
  const { status } = known;
  send(response, status, known.body, {
    ...(status === 429 && { 'retry-after': '1' }),
    ...(status >= 400 && !(error instanceof ApiError) && { connection: 'close' }),
  });
}
