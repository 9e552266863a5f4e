import { parseExact } from '../common/exactJson';
import { NestingError } from '../common/nesting';
import { OpenEnvError, serverError } from './errors';
import type { ServerMessage } from './protocol';

/**
 * Returns a server's message, with integers that a number cannot hold as bigints.
 * Throws `PROTOCOL_ERROR` when it is not an OpenEnv message.
 */
export function parseMessage(bytes: string | Uint8Array): ServerMessage {
  const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString();
  let message: unknown;
  try {
    message = parseExact(text, "The server's answer");
  } catch (error) {
    if (error instanceof NestingError) throw new OpenEnvError('PROTOCOL_ERROR', error.message);
    const constant = /[:[,]\s*(-?Infinity|NaN)\b/.exec(text)?.[1];
    if (constant)
      throw new OpenEnvError(
        'PROTOCOL_ERROR',
        `The server's answer has ${constant}, which JSON does not have: ${text.slice(0, 200)}`,
      );
    message = undefined;
  }
  if (typeof message !== 'object' || message === null || !('type' in message) || !('data' in message)) {
    throw new OpenEnvError('PROTOCOL_ERROR', `The server's answer is not an OpenEnv message: ${text.slice(0, 200)}`);
  }
  return message as ServerMessage;
}

/** Returns the error that a server's last message reports; `undefined` where it reports none. */
export function closingError(message: string | Uint8Array): OpenEnvError | undefined {
  try {
    const { type, data } = parseMessage(message);
    return type === 'error' ? serverError(data) : undefined;
  } catch {
    return undefined;
  }
}
