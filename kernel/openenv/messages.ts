import { parseExact } from '../common/exactJson';
import { NestingError } from '../common/nesting';
import { OpenEnvError, serverError } from './errors';
import type { ServerMessage } from './protocol';

/** A message from a server; integers that a number cannot hold are bigints. Fails with `PROTOCOL_ERROR` when it is none. */
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

/** The error that a server's last message tells of, where it is one. */
export function farewell(message: string | Uint8Array): OpenEnvError | undefined {
  try {
    const { type, data } = parseMessage(message);
    return type === 'error' ? serverError(data) : undefined;
  } catch {
    return undefined;
  }
}
