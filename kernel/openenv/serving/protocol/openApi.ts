import type { Contract } from '../schemas';

/** Returns the document at `/openapi.json`, in the version of OpenEnv's HTTP standard. */
export function openApi({ schema, metadata }: Contract): object {
  const result = object({
    observation: schema.observation,
    reward: { type: ['number', 'null'] },
    done: { type: 'boolean' },
    metadata: { type: 'object' },
  });
  const reset = object({
    seed: { type: ['integer', 'null'], minimum: 0 },
    episode_id: { type: ['string', 'null'], maxLength: 255 },
  });
  const step = {
    ...object({
      action: schema.action,
      timeout_s: { type: ['number', 'null'] },
      request_id: { type: ['string', 'null'] },
    }),
    required: ['action'],
  };
  return {
    openapi: '3.1.0',
    info: {
      title: `${metadata.name}: OpenEnv Environment HTTP API`,
      version: '1.0.0',
      description: metadata.description,
    },
    paths: {
      '/health': { get: operation('Whether the server is healthy', object({ status: { type: 'string' } })) },
      '/metadata': {
        get: operation('About the environment', object({ name: { type: 'string' }, description: { type: 'string' } })),
      },
      '/schema': { get: operation('JSON Schemas of action, observation and state', { type: 'object' }) },
      '/reset': { post: operation('Starts an episode in a new environment', result, reset) },
      '/step': { post: operation('Takes the first step of a new episode', result, step) },
      '/state': { get: operation('State of a new environment', schema.state) },
      '/mcp': { post: operation('MCP, in JSON-RPC 2.0', { type: 'object' }, { type: 'object' }) },
    },
  };
}

function object(properties: object): object {
  return { type: 'object', properties };
}

function operation(summary: string, answer: object, request?: object): object {
  return {
    summary,
    ...(request ? { requestBody: { content: json(request) } } : {}),
    responses: {
      200: { description: 'Success', content: json(answer) },
      ...(request ? { 422: { description: 'Validation error' } } : {}),
    },
  };
}

function json(schema: object): object {
  return { 'application/json': { schema } };
}
