import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HeldBytes, readBody, Refused } from './body';
import type { EpisodeRunner } from '../episode';
import type { HeldSessions } from '../heldSessions';
import { JsonFailure, readJson, writeJson } from './json';
import { answerRpcText, type RpcContext } from './mcp';
import { openApi } from './openApi';
import { refusedHost, refusedOrigin, type Access } from './origin';
import { closeQuietly } from '../session';
import type { Contract } from '../schemas';
import { errorText, isA } from '../thrown';
import { validator } from '../../../schema/validate';
import { ValidationFailure } from '../../../schema/problems';

/** An answer: what to send as JSON, and the status. */
interface Answer {
  status?: number;
  body: unknown;
  /** Whether the connection ends with the answer, since the rest of the request is not read. */
  close?: boolean;
}

type Handler = (body: string) => Promise<Answer>;

/** What the HTTP routes use of their server. */
export interface HttpContext {
  contract: Contract;
  sessions: HeldSessions;
  access: Access;
  held: HeldBytes;
  /** Creates an environment. */
  make(): EpisodeRunner;
}

/**
 * Returns the handler of an environment server's HTTP routes. As in OpenEnv, each
 * request has a new environment, and `/step` takes the first step of a new episode:
 * sessions exist over WebSocket, and for tools over MCP.
 */
export function httpHandler(
  context: HttpContext,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const routes = httpRoutes(context);
  return async (request, response) => {
    let answer: Answer;
    try {
      answer = await answerRequest(request, response, routes, context);
      answer.body = writeJson(answer.body);
    } catch (error) {
      const { body, ...rest } = failure(error);
      answer = { ...rest, body: JSON.stringify(body) };
    }
    send(response, answer);
  };
}

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  routes: Routes,
  { access, held }: HttpContext,
): Promise<Answer> {
  const { method = '' } = request;
  const methods = routes.get(pathOf(request.url));
  const handler = methods?.[method === 'HEAD' ? 'GET' : method];
  const stranger = refusedHost(request, access) ?? (method === 'POST' ? refusedOrigin(request, access) : undefined);
  if (stranger) return { status: 403, body: { detail: stranger } };
  if (!methods)
    return {
      status: 404,
      body: { detail: `Not Found. Routes: ${[...routes.keys()].join(', ')}, and WebSocket at /ws.` },
    };
  if (!handler) return { status: 405, body: { detail: 'Method Not Allowed' } };
  return handler(await readBody(request, response, held));
}

function failure(error: unknown): Answer {
  if (isA(error, ValidationFailure)) return { status: 422, body: { detail: error.problems } };
  if (isA(error, Refused)) return { status: error.status, body: { detail: error.message }, close: true };
  return { status: 500, body: { detail: errorText(error) } };
}

/** Returns the path of a request's target, which may be any text, also an absolute address. */
export function pathOf(target = ''): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/)[0] || '/';
}

type Routes = Map<string, Record<string, Handler>>;

function httpRoutes({ contract, sessions, make }: HttpContext): Routes {
  const document = openApi(contract);
  const withEnvironment = async <Result>(use: (runner: EpisodeRunner) => Promise<Result> | Result): Promise<Result> => {
    const runner = make();
    try {
      return await use(runner);
    } finally {
      await closeQuietly(runner);
    }
  };
  const rpc: RpcContext = {
    sessions,
    use(id, work) {
      const session = id === undefined ? undefined : sessions.find(id);
      if (!session) return withEnvironment((runner) => work(runner.environment));
      session.played = true;
      return session.do(() => work(session.runner.environment));
    },
  };
  const get = (body: () => unknown): Record<string, Handler> => ({ GET: async () => ({ body: await body() }) });
  const post = (body: (text: string) => unknown): Record<string, Handler> => ({
    POST: async (text) => ({ body: await body(text) }),
  });
  return new Map([
    ['/', get(() => ({ ...contract.metadata, websocket: '/ws', documentation: '/openapi.json' }))],
    ['/health', get(() => ({ status: 'healthy' }))],
    ['/metadata', get(() => contract.metadata)],
    ['/schema', get(() => contract.schema)],
    ['/openapi.json', get(() => document)],
    ['/state', get(() => withEnvironment((runner) => runner.state()))],
    ['/reset', post((text) => withEnvironment((runner) => runner.reset(resetArguments(contract, text))))],
    ['/step', post((text) => withEnvironment((runner) => firstStep(contract, runner, text)))],
    ['/mcp', post((text) => answerRpcText(text, rpc))],
  ]);
}

function resetArguments(contract: Contract, text: string): Record<string, any> {
  const args = text.trim() === '' ? {} : parseBody(text);
  contract.checkReset(args);
  return args;
}

async function firstStep(contract: Contract, runner: EpisodeRunner, text: string): Promise<unknown> {
  const request = parseBody(text);
  checkStep(request);
  const action = contract.checkAction(request.action);
  await runner.reset({});
  return runner.step(action);
}

const checkStep = validator(
  {
    type: 'object',
    required: ['action'],
    properties: {
      action: { type: 'object' },
      timeout_s: { type: ['number', 'null'], exclusiveMinimum: 0 },
      request_id: { type: ['string', 'null'], maxLength: 255 },
    },
  },
  'request',
);

function parseBody(text: string): Record<string, any> {
  try {
    return readJson(text) as Record<string, any>;
  } catch (error) {
    if (isA(error, ValidationFailure))
      throw new ValidationFailure(error.problems.map((it) => ({ ...it, loc: ['body', ...it.loc] })));
    if (isA(error, JsonFailure))
      throw new ValidationFailure([
        { type: 'json_invalid', loc: ['body'], msg: `JSON decode error: ${error.message}`, input: text.slice(0, 200) },
      ]);
    throw error;
  }
}

function send(response: ServerResponse, { status = 200, body, close }: Answer): void {
  const text = Buffer.from(body as string);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': text.length,
    ...(close ? { connection: 'close' } : {}),
  });
  response.end(text);
}
