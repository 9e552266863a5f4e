import type { JsonSchema } from '../schema/jsonSchema';
import { OpenEnvError } from './errors';
import type { RpcAnswer } from './protocol';

/** A tool of an environment (MCP). */
export interface Tool {
  name: string;
  description: string;
  /** JSON Schema of its arguments. */
  inputSchema: JsonSchema;
}

/**
 * Returns the result of a JSON-RPC request. Throws `TOOL_ERROR` when it failed,
 * `NOT_SUPPORTED` when the environment has no tools.
 */
export function rpcResult(method: string, params: { name?: string }, { result, error }: RpcAnswer): any {
  if (!error) return result;
  if (/does not support MCP|MCP server not available/.test(error.message))
    throw new OpenEnvError('NOT_SUPPORTED', 'The environment has no tools (MCP).', error);
  throw new OpenEnvError(
    'TOOL_ERROR',
    `${params.name === undefined ? method : `The tool '${params.name}'`} failed: ${error.message}`,
    error,
  );
}

export function readTools(result: any): Tool[] {
  if (!Array.isArray(result?.tools))
    throw new OpenEnvError('PROTOCOL_ERROR', 'The server answered tools/list without a list of tools.');
  return result.tools.map((tool: any) => ({
    name: tool.name ?? '',
    description: tool.description ?? '',
    inputSchema: tool.inputSchema ?? tool.input_schema ?? {},
  }));
}

/**
 * Returns the value of a tool's result. OpenEnv's servers send FastMCP's result, whose
 * `data` is the value, or the value itself; plain MCP has `structuredContent` or text.
 * Throws `TOOL_ERROR` when the tool failed.
 */
export function toolValue(name: string, result: any): unknown {
  if (typeof result !== 'object' || result === null || !('content' in result || 'data' in result)) return result;
  const text = textOf(result.content);
  if (result.isError ?? result.is_error)
    throw new OpenEnvError('TOOL_ERROR', `The tool '${name}' failed: ${text ?? 'without a message'}`, result);
  const value = result.data ?? result.structuredContent ?? result.structured_content;
  if (value !== undefined && value !== null) return value;
  return text === '' || text === 'null' ? null : (text ?? result);
}

function textOf(content: any): string | undefined {
  if (
    !Array.isArray(content) ||
    !content.every(({ type, text }) => typeof text === 'string' && (type ?? 'text') === 'text')
  )
    return undefined;
  return content.map(({ text }) => text).join('\n');
}
