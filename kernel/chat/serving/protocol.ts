/*
 * OpenAI's protocol of chat completions, as far as the server speaks it.
 */

/** Thrown when a request is answered with an error: its HTTP status, and OpenAI's words for it. */
export class ApiError extends Error {
  /**
   * @param param the field of the request that is wrong
   * @param code OpenAI's code, such as 'model_not_found'
   */
  constructor(
    readonly status: number,
    message: string,
    readonly param: string | null = null,
    readonly code: string | null = null,
  ) {
    super(message);
  }

  /** The body of the answer. */
  get body(): object {
    const { status, message, param, code } = this;
    return { error: { message, type: TYPES[status] ?? (status < 500 ? TYPES[400] : 'server_error'), param, code } };
  }
}

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

/** A token with its log-probability in nats, as text and as the bytes of it. */
export interface ApiLogprob {
  token: string;
  logprob: number;
  /** `null` where the token is a part of a character. */
  bytes: number[] | null;
}

/** The log-probabilities of a choice, or of a part of it. */
export interface ApiLogprobs {
  content: Array<ApiLogprob & { top_logprobs: ApiLogprob[] }>;
  refusal: null;
}

export type FinishReason = 'stop' | 'length';

/** Numbers of tokens. */
export interface ApiUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}
