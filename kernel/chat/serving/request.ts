import { validator } from '../../schema/validate';
import { describeProblem, ValidationFailure } from '../../schema/problems';
import { isA } from '../../openenv/serving/thrown';
import type { ChatMessage } from '../../models';
import { ApiError } from './protocol';

/** A request for chat completions that can be met. */
export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  repetitionPenalty?: number;
  /** `undefined`: as many as the model takes. */
  maxTokens?: number;
  n: number;
  seed?: number;
  stop: string[];
  stream: boolean;
  includeUsage: boolean;
  logprobs: boolean;
  topLogprobs: number;
}

const number = (range: object) => ({ type: ['number', 'null'], ...range });
const whole = (range: object) => ({ type: ['integer', 'null'], ...range });
const text = { type: 'string' };

/** Fields that are read. Others are looked at in {@link UNSUPPORTED}, or ignored as other servers do. */
const checkRequest = validator(
  {
    type: 'object',
    required: ['model', 'messages'],
    properties: {
      model: text,
      messages: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['role', 'content'],
          properties: {
            role: text,
            content: {
              anyOf: [
                text,
                {
                  type: 'array',
                  items: {
                    type: 'object',
                    required: ['type', 'text'],
                    properties: { type: { const: 'text' }, text },
                  },
                },
              ],
            },
          },
        },
      },
      temperature: number({ minimum: 0, maximum: 2 }),
      top_p: number({ exclusiveMinimum: 0, maximum: 1 }),
      top_k: whole({ minimum: -1 }),
      min_p: number({ minimum: 0, maximum: 1 }),
      repetition_penalty: number({ exclusiveMinimum: 0 }),
      max_tokens: whole({ minimum: 1 }),
      max_completion_tokens: whole({ minimum: 1 }),
      n: whole({ minimum: 1, maximum: 128 }),
      seed: whole({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
      stop: { anyOf: [{ type: ['string', 'null'] }, { type: 'array', maxItems: 4, items: text }] },
      stream: { type: ['boolean', 'null'] },
      stream_options: { type: ['object', 'null'], properties: { include_usage: { type: ['boolean', 'null'] } } },
      logprobs: { type: ['boolean', 'null'] },
      top_logprobs: whole({ minimum: 0, maximum: 20 }),
    },
  },
  'request',
);

/** Fields that would change the answer and cannot be honoured, and whether a value asks for nothing. */
const UNSUPPORTED: Record<string, (value: any) => boolean> = {
  presence_penalty: (value) => value === 0,
  frequency_penalty: (value) => value === 0,
  logit_bias: (value) => Object.keys(value).length === 0,
  tools: (value) => value.length === 0,
  functions: (value) => value.length === 0,
  response_format: (value) => value.type === 'text',
  modalities: (value) => String(value) === 'text',
  audio: () => false,
};

/**
 * Returns what a request asks for, with OpenAI's defaults.
 *
 * @throws ApiError 400 where a field is wrong, or cannot be honoured
 */
export function readRequest(body: string): ChatRequest {
  const request = parsed(body);
  const unsupported = Object.keys(UNSUPPORTED).find((name) => (request[name] ?? null) !== null && asks(name, request));
  if (unsupported)
    throw new ApiError(400, `${unsupported} is not supported by this server: leave it out.`, unsupported);
  const topLogprobs = request.top_logprobs ?? 0;
  if (topLogprobs > 0 && !request.logprobs)
    throw new ApiError(400, 'top_logprobs needs logprobs: true.', 'top_logprobs');
  return {
    model: request.model,
    messages: request.messages.map(plainContent),
    temperature: request.temperature ?? 1,
    topP: request.top_p ?? 1,
    // vLLM has −1 for all, transformers 0.
    topK: Math.max(0, request.top_k ?? 0),
    minP: request.min_p ?? 0,
    repetitionPenalty: request.repetition_penalty ?? undefined,
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    n: request.n ?? 1,
    seed: request.seed ?? undefined,
    stop: [request.stop ?? []].flat().filter((one: string) => one !== ''),
    stream: request.stream ?? false,
    includeUsage: request.stream_options?.include_usage ?? false,
    logprobs: request.logprobs ?? false,
    topLogprobs,
  };
}

function asks(name: string, request: Record<string, any>): boolean {
  try {
    return !UNSUPPORTED[name](request[name]);
  } catch {
    return true;
  }
}

function parsed(body: string): Record<string, any> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new ApiError(400, `The body is not JSON: ${(error as Error).message}.`);
  }
  try {
    checkRequest(value);
  } catch (error) {
    if (!isA(error, ValidationFailure)) throw error;
    const [problem] = error.problems;
    throw new ApiError(400, describeProblem(problem), String(problem.loc[0] ?? '') || null);
  }
  return value as Record<string, any>;
}

/** Returns a message with its parts of text as one text, which is what chat templates write. */
function plainContent({ content, ...message }: Record<string, any>): ChatMessage {
  const text = Array.isArray(content) ? content.map((part) => part.text).join('') : content;
  return { ...message, content: text } as ChatMessage;
}
