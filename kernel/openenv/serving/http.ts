import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseExact } from '../../common/exactJson';
import { EpisodeRunner, toJson } from './episode';
import type { HeldSessions } from './heldSessions';
import { answerRpcText, type RpcPlace } from './mcp';
import { openApi } from './openApi';
import { mayPlay } from './origin';
import { closeQuietly } from './seat';
import type { Contract } from './schemas';
import { errorText } from './session';
import { validator, ValidationFailure } from './validate';

/** The largest message, over WebSocket and HTTP: 100 MB, as OpenEnv's clients have it. */
export const MAXIMUM_MESSAGE = 100 * 2 ** 20;

/** An answer: what to send as JSON, and the status. */
interface Answer {
  status?: number;
  body: unknown;
}

type Handler = (body: string) => Promise<Answer> | Answer;

/** What the HTTP routes have of their server. */
export interface HttpSetting {
  contract: Contract;
  sessions: HeldSessions;
  /** The server listens for this machine alone. */
  local: boolean;
  /** A new environment. */
  make(): EpisodeRunner;
}

/**
 * The HTTP routes of an environment server. As in OpenEnv, each request has a
 * new environment, and `/step` takes the first step of a new episode: a
 * session is to be had by WebSocket, and for tools by MCP.
 */
export function httpHandler(setting: HttpSetting): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const routes = httpRoutes(setting);
  return async (request, response) => {
    try {
      const path = new URL(request.url ?? '/', 'http://server').pathname;
      const methods = routes.get(path);
      const handler = methods?.[request.method === 'HEAD' ? 'GET' : (request.method ?? '')];
      if (!methods) return send(response, { status: 404, body: { detail: `Not Found. Routes: ${[...routes.keys()].join(', ')}, and WebSocket at /ws.` } });
      if (!handler) return send(response, { status: 405, body: { detail: 'Method Not Allowed' } });
      if (request.method === 'POST' && !mayPlay(request, setting.local)) return send(response, { status: 403, body: { detail: 'Pages of other sites may not play here.' } });
      send(response, await handler(await readBody(request)));
    } catch (error) {
      if (error instanceof ValidationFailure) return send(response, { status: 422, body: { detail: error.problems } });
      const status = error instanceof BodyTooLarge ? 413 : 500;
      send(response, { status, body: { detail: errorText(error) } });
    }
  };
}

function httpRoutes({ contract, sessions, make }: HttpSetting): Map<string, Record<string, Handler>> {
  const document = openApi(contract);
  const withEnvironment = async <Result>(use: (runner: EpisodeRunner) => Promise<Result> | Result): Promise<Result> => {
    const runner = make();
    try {
      return await use(runner);
    } finally {
      await closeQuietly(runner);
    }
  };
  const place: RpcPlace = {
    sessions,
    use(session, work) {
      const seat = session === undefined ? undefined : sessions.find(session);
      return seat ? seat.do(() => work(seat.runner.environment)) : withEnvironment((runner) => work(runner.environment));
    },
  };
  return new Map<string, Record<string, Handler>>([
    ['/', { GET: () => ({ body: { ...contract.metadata, websocket: '/ws', documentation: '/openapi.json' } }) }],
    ['/health', { GET: () => ({ body: { status: 'healthy' } }) }],
    ['/metadata', { GET: () => ({ body: contract.metadata }) }],
    ['/schema', { GET: () => ({ body: contract.schema }) }],
    ['/openapi.json', { GET: () => ({ body: document }) }],
    ['/state', { GET: async () => ({ body: await withEnvironment((runner) => runner.state()) }) }],
    ['/reset', { POST: async (text) => ({ body: await withEnvironment((runner) => runner.reset(resetArguments(contract, text))) }) }],
    ['/step', { POST: async (text) => ({ body: await withEnvironment((runner) => firstStep(contract, runner, text)) }) }],
    ['/mcp', { POST: async (text) => ({ body: await answerRpcText(text, place) }) }],
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
    properties: { action: { type: 'object' }, timeout_s: { type: ['number', 'null'], exclusiveMinimum: 0 }, request_id: { type: ['string', 'null'], maxLength: 255 } },
  },
  'request',
);

function parseBody(text: string): Record<string, any> {
  try {
    return parseExact(text, 'The body') as Record<string, any>;
  } catch (error) {
    throw new ValidationFailure([{ type: 'json_invalid', loc: ['body'], msg: `JSON decode error: ${(error as Error).message}`, input: text.slice(0, 200) }]);
  }
}

class BodyTooLarge extends Error {}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAXIMUM_MESSAGE) throw new BodyTooLarge(`A message may have ${MAXIMUM_MESSAGE} bytes at most.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function send(response: ServerResponse, { status = 200, body }: Answer): void {
  const text = Buffer.from(toJson(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
  response.end(text);
}
