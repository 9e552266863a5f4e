/** What went wrong with a model behind an address. */
export type ChatErrorCode =
  /** Nobody answers there, or the connection broke off. */
  | 'CONNECTION_FAILED'
  /** It did not answer in time. */
  | 'TIMEOUT'
  /** It answered that there were too many requests, or that it is not up to them, until the retries were used up. */
  | 'BUSY'
  /** It refused the key, or wanted one. */
  | 'UNAUTHORIZED'
  /** It does not have the model, or nothing is at this address. */
  | 'NOT_FOUND'
  /** It refused the request. */
  | 'REFUSED'
  /** What it answered is no chat completion. */
  | 'PROTOCOL_ERROR'
  /** The budget of tokens or seconds is used up. */
  | 'BUDGET';

/** An error of a model behind an address, as a sentence. It never has the key. */
export class ChatModelError extends Error {
  override readonly name = 'ChatModelError';

  /** @param status the HTTP status, where there was one */
  constructor(
    readonly code: ChatErrorCode,
    message: string,
    readonly status?: number,
  ) {
    super(message);
  }
}
