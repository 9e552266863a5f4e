import type { JsonSchema } from '../schema/jsonSchema';

/**
 * The messages of OpenEnv's WebSocket protocol and the documents of its HTTP
 * routes. Fields are named as on the wire.
 */

/** Client → server, over `/ws`. */
export type ClientMessage =
  | { type: 'reset'; data: ResetArguments }
  | { type: 'step'; data: object }
  | { type: 'state' }
  | { type: 'mcp'; data: RpcRequest }
  | { type: 'close' };

/** Server → client, over `/ws`. */
export type ServerMessage =
  | { type: 'observation'; data: StepResult }
  | { type: 'state'; data: EpisodeState }
  | { type: 'mcp'; data: RpcAnswer }
  | { type: 'error'; data: { message: string; code: string; errors?: unknown[] } };

/** A request to the environment's tools: JSON-RPC 2.0, as in MCP. */
export interface RpcRequest {
  jsonrpc: '2.0';
  id: number;
  method: string;
  params: object;
}

/** The answer to an {@link RpcRequest}: a result or an error. */
export interface RpcAnswer {
  jsonrpc: '2.0';
  id: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: unknown };
}

/** Arguments of a reset. An environment may take others. */
export interface ResetArguments {
  /** The same seed starts the same episode. A whole number ≥ 0. */
  seed?: number;
  episode_id?: string;
  [argument: string]: unknown;
}

/** The result of a reset or a step. */
export interface StepResult<Observation = Record<string, any>> {
  observation: Observation;
  /** `null` after a reset. */
  reward: number | null;
  /** Whether the episode has ended, terminated or truncated. */
  done: boolean;
  metadata?: Record<string, any>;
}

/** The state of the episode; an environment adds fields of its own. */
export interface EpisodeState {
  episode_id?: string | null;
  step_count: number;
  [field: string]: any;
}

/** `GET /metadata`. */
export interface EnvironmentMetadata {
  name: string;
  description: string;
  readme_content?: string | null;
  version?: string | null;
  author?: string | null;
  documentation_url?: string | null;
}

/** `GET /schema`: JSON Schemas. */
export interface EnvironmentSchema {
  action: JsonSchema;
  observation: JsonSchema;
  state: JsonSchema;
  reset_observation?: JsonSchema;
}
