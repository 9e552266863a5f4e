import { jsonValue, JsonValueError } from '../../../schema/jsonValue';
import type { RpcAnswer } from '../../protocol';
import type { Environment, EnvironmentTool } from '../environment';
import type { HeldSessions } from '../heldSessions';
import { JsonFailure, readJson, writeJson } from './json';
import { OpenEnvError } from '../../errors';
import { isA, plainMessage } from '../thrown';
import { validator } from '../../../schema/validate';
import { ValidationFailure } from '../../../schema/problems';

/** Error codes of JSON-RPC 2.0. */
const CODES = {
  parse: -32700,
  request: -32600,
  method: -32601,
  params: -32602,
  internal: -32603,
  server: -32000,
} as const;

/** Characters of the sender's names that an answer quotes, at most. */
const LONGEST_NAME = 200;

/** The context in which a JSON-RPC request is answered. */
export interface RpcContext {
  sessions: HeldSessions;
  /** ID of the session that the request came in, where it came in one. */
  session?: string;
  /** Runs `work` with the environment of the named session, else with the context's own. */
  use<Result>(session: string | undefined, work: (environment: Environment) => Promise<Result>): Promise<Result>;
}

/** A request whose outer fields have been checked. */
interface Request {
  id: unknown;
  method: string;
  params: Record<string, any>;
}

/** Answers a JSON-RPC request, given as text. Never throws. */
export async function answerRpcText(text: string, context: RpcContext): Promise<RpcAnswer> {
  let request: unknown;
  try {
    request = readJson(text);
  } catch (error) {
    const what = isA(error, JsonFailure) ? error.message : (error as ValidationFailure).problems[0].msg;
    return failed(null, CODES.parse, `Parse error: ${what}`);
  }
  return answerRpc(request, context);
}

/** Answers a JSON-RPC request to the tools of an environment, or for a session. Never throws. */
export async function answerRpc(request: unknown, context: RpcContext): Promise<RpcAnswer> {
  if (Array.isArray(request))
    return failed(null, CODES.request, 'Invalid request: several at once are not supported; send them one by one.');
  const {
    jsonrpc,
    id: given,
    method,
    params = {},
  } = (typeof request === 'object' && request !== null ? request : {}) as Record<string, any>;
  // An ID comes back with the answer: no more than what one may be.
  const id = typeof given === 'number' || (typeof given === 'string' && given.length <= LONGEST_NAME) ? given : null;
  if (jsonrpc !== '2.0' || typeof method !== 'string')
    return failed(id, CODES.request, 'Invalid request: "jsonrpc" has to be "2.0" and "method" a string.');
  if (typeof params !== 'object' || params === null || Array.isArray(params))
    return failed(id, CODES.params, 'Params must be an object');
  try {
    switch (method) {
      case 'openenv/session/create':
        return succeeded(id, { session_id: context.session ?? context.sessions.create().id });
      case 'openenv/session/close':
        return closeSession({ id, method, params }, context);
      case 'tools/list':
      case 'tools/call':
        return await answerTools({ id, method, params }, context);
      default:
        return failed(id, CODES.method, `Method not found: ${cut(method)}`);
    }
  } catch (error) {
    if (isA(error, OpenEnvError)) return failed(id, CODES.server, error.message, error.details);
    return failed(id, CODES.internal, plainMessage(error));
  }
}

function closeSession({ id, params: { session_id: session } }: Request, context: RpcContext): RpcAnswer {
  if (typeof session !== 'string' || session === '')
    return failed(id, CODES.params, "Invalid params - 'session_id' is required");
  if (session === context.session)
    return failed(id, CODES.request, 'Cannot close active WebSocket-managed session via MCP method');
  const what = context.sessions.close(session);
  if (what === 'unknown') return failed(id, CODES.params, `Unknown session_id: ${cut(session)}`);
  return succeeded(
    id,
    what === 'closed' ? { session_id: session, closed: true } : { session_id: session, closed: false, closing: true },
  );
}

async function answerTools({ id, method, params }: Request, context: RpcContext): Promise<RpcAnswer> {
  const session = context.session ? undefined : params.session_id;
  if (session && (typeof session !== 'string' || !context.sessions.find(session)))
    return failed(
      id,
      CODES.params,
      `Unknown session_id: ${typeof session === 'string' ? cut(session) : 'it has to be a string'}`,
    );
  return context.use(session, async ({ tools }) => {
    if (!tools) return failed(id, CODES.internal, 'Environment does not support MCP');
    if (method === 'tools/list') return succeeded(id, { tools: listTools(tools) });
    if (typeof params.name !== 'string') return failed(id, CODES.params, "Missing 'name' in params");
    if (!Object.hasOwn(tools, params.name))
      return failed(id, CODES.params, `Tool not found: ${cut(params.name)}. Valid: ${Object.keys(tools).join(', ')}.`);
    return succeeded(id, await callTool(tools[params.name], params.arguments ?? {}));
  });
}

function listTools(tools: Record<string, EnvironmentTool>): object[] {
  return Object.entries(tools).map(([name, { description, inputSchema }]) => ({
    name,
    description,
    inputSchema: inputSchema ?? { type: 'object' },
  }));
}

/**
 * Calls a tool and returns its result as in MCP, and its value as `data`, where
 * OpenEnv's clients look for it; an exception of the tool becomes a result with
 * `isError`.
 */
async function callTool({ inputSchema, call }: EnvironmentTool, args: unknown): Promise<object> {
  const content = (text: string) => [{ type: 'text', text }];
  const failure = (text: string) => ({ content: content(text), isError: true });
  try {
    validator({ type: 'object', ...inputSchema }, 'tool')(args);
    const value = jsonValue(await call(args), 'The result');
    return { content: content(typeof value === 'string' ? value : writeJson(value)), data: value, isError: false };
  } catch (error) {
    if (isA(error, ValidationFailure))
      return failure(error.problems.map(({ loc, msg }) => `${loc.join('.') || 'arguments'}: ${msg}`).join('\n'));
    if (isA(error, JsonValueError)) return failure(`The tool's result cannot be sent: ${error.describe()}.`);
    return failure(plainMessage(error));
  }
}

function cut(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

function succeeded(id: unknown, result: object): RpcAnswer {
  return { jsonrpc: '2.0', id, result };
}

/** Returns the answer to a request whose own answer cannot be sent. */
export function unsendable(error: unknown): RpcAnswer {
  return failed(null, CODES.internal, plainMessage(error));
}

function failed(id: unknown, code: number, message: string, data?: unknown): RpcAnswer {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}
