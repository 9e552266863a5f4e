import type { RpcAnswer } from '../protocol';
import type { Environment, EnvironmentTool } from './environment';
import { toJson } from './episode';
import { validator, ValidationFailure } from './validate';

/** Error codes of JSON-RPC 2.0. */
const CODES = { parse: -32700, request: -32600, method: -32601, params: -32602, internal: -32603 } as const;

/** Answers a request in JSON-RPC to the tools of an environment, given as text. */
export async function answerRpcText(text: string, environment: () => Environment | Promise<Environment>): Promise<RpcAnswer> {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch (error) {
    return failed(null, CODES.parse, `Parse error: ${(error as Error).message}`);
  }
  return answerRpc(request, environment);
}

/** Answers a request in JSON-RPC to the tools of an environment. Never throws. */
export async function answerRpc(request: unknown, environment: () => Environment | Promise<Environment>): Promise<RpcAnswer> {
  const { jsonrpc, id = null, method, params = {} } = (typeof request === 'object' && request !== null ? request : {}) as Record<string, any>;
  if (jsonrpc !== '2.0' || typeof method !== 'string') return failed(id, CODES.request, 'Invalid request: "jsonrpc" has to be "2.0" and "method" a string.');
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return failed(id, CODES.params, 'Params must be an object');
  if (method !== 'tools/list' && method !== 'tools/call') return failed(id, CODES.method, `Method not found: ${method}`);
  try {
    const { tools } = await environment();
    if (!tools) return failed(id, CODES.internal, 'Environment does not support MCP');
    if (method === 'tools/list') return { jsonrpc: '2.0', id, result: { tools: listTools(tools) } };
    if (typeof params.name !== 'string') return failed(id, CODES.params, "Missing 'name' in params");
    if (!Object.hasOwn(tools, params.name)) return failed(id, CODES.params, `Tool not found: ${params.name}. Valid: ${Object.keys(tools).join(', ')}.`);
    return { jsonrpc: '2.0', id, result: await callTool(tools[params.name], params.arguments ?? {}) };
  } catch (error) {
    return failed(id, CODES.internal, (error as Error)?.message ?? String(error));
  }
}

function listTools(tools: Record<string, EnvironmentTool>): object[] {
  return Object.entries(tools).map(([name, { description, inputSchema }]) => ({ name, description, inputSchema: inputSchema ?? { type: 'object' } }));
}

/**
 * The result of a tool as MCP has it, and its value as `data`, where OpenEnv's
 * clients look for it; an exception of the tool is a result with `isError`.
 */
async function callTool({ inputSchema, call }: EnvironmentTool, args: unknown): Promise<object> {
  const content = (text: string) => [{ type: 'text', text }];
  const failure = (text: string) => ({ content: content(text), isError: true });
  try {
    validator({ type: 'object', ...inputSchema }, 'tool')(args);
    const value = await call(args);
    return { content: content(typeof value === 'string' ? value : (toJson(value) ?? 'null')), data: value ?? null, isError: false };
  } catch (error) {
    if (error instanceof ValidationFailure) return failure(error.problems.map(({ loc, msg }) => `${loc.join('.') || 'arguments'}: ${msg}`).join('\n'));
    return failure((error as Error)?.message ?? String(error));
  }
}

function failed(id: unknown, code: number, message: string): RpcAnswer {
  return { jsonrpc: '2.0', id, error: { code, message } };
}
