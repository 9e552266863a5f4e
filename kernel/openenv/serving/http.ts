import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Environment } from './environment';
import { EpisodeRunner, toJson } from './episode';
import { answerRpcText } from './mcp';
import { openApi } from './openApi';
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

/**
 * The HTTP routes of an environment server. As in OpenEnv, a session is only
 * to be had by WebSocket: each request has a new environment, and `/step`
 * takes the first step of a new episode.
 *
 * @param make a new environment
 */
export function httpHandler(contract: Contract, make: () => Environment | Promise<Environment>): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const routes = httpRoutes(contract, make);
  return async (request, response) => {
    try {
      const path = new URL(request.url ?? '/', 'http://server').pathname;
      const methods = routes.get(path);
      const handler = methods?.[request.method === 'HEAD' ? 'GET' : (request.method ?? '')];
      if (!methods) return send(response, { status: 404, body: { detail: `Not Found. Routes: ${[...routes.keys()].join(', ')}, and WebSocket at /ws.` } });
      if (!handler) return send(response, { status: 405, body: { detail: 'Method Not Allowed' } });
      send(response, await handler(await readBody(request)));
    } catch (error) {
      if (error instanceof ValidationFailure) return send(response, { status: 422, body: { detail: error.problems } });
      const status = error instanceof BodyTooLarge ? 413 : 500;
      send(response, { status, body: { detail: errorText(error) } });
    }
  };
}

function httpRoutes(contract: Contract, make: () => Environment | Promise<Environment>): Map<string, Record<string, Handler>> {
  const document = openApi(contract);
  const withEnvironment = async <Result>(use: (runner: EpisodeRunner) => Promise<Result> | Result): Promise<Result> => {
    const runner = new EpisodeRunner(await make());
    try {
      return await use(runner);
    } finally {
      await runner.close();
    }
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
    ['/mcp', { POST: async (text) => ({ body: await rpc(text, make) }) }],
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

async function rpc(text: string, make: () => Environment | Promise<Environment>): Promise<unknown> {
  let environment: Environment | undefined;
  try {
    return await answerRpcText(text, async () => (environment = await make()));
  } finally {
    await environment?.close?.();
  }
}

function parseBody(text: string): Record<string, any> {
  try {
    return JSON.parse(text);
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
