import { shown } from '../common/shown';
import { describeProblem } from '../schema/problems';

/**
 * The kind of an error. The first seven come from the server, by OpenEnv's protocol.
 * The others arise on this side, in this order: no connection, a lost connection, no
 * answer in time, an answer that is not of the protocol, something that the server
 * does not have, a tool that failed, a call after `close`, a server that did not
 * start, an argument that is not valid.
 */
export type OpenEnvErrorCode =
  | 'INVALID_JSON'
  | 'UNKNOWN_TYPE'
  | 'VALIDATION_ERROR'
  | 'EXECUTION_ERROR'
  | 'CAPACITY_REACHED'
  | 'FACTORY_ERROR'
  | 'SESSION_ERROR'
  | 'CONNECTION_FAILED'
  | 'CONNECTION_LOST'
  | 'TIMEOUT'
  | 'PROTOCOL_ERROR'
  | 'NOT_SUPPORTED'
  | 'TOOL_ERROR'
  | 'CLOSED'
  | 'LAUNCH_FAILED'
  | 'INVALID_ARGUMENT';

/** Thrown when an OpenEnv server, or the connection to it, fails. */
export class OpenEnvError extends Error {
  override readonly name = 'OpenEnvError';

  constructor(
    readonly code: OpenEnvErrorCode,
    message: string,
    /** Details that the server sent, such as pydantic's list of errors. */
    readonly details?: unknown,
  ) {
    super(message);
  }
}

/** Returns the error about an argument that is not valid. */
export function invalidArgument(message: string): OpenEnvError {
  return new OpenEnvError('INVALID_ARGUMENT', message);
}

/** Returns the error about a server that did not start. */
export function launchFailed(message: string): OpenEnvError {
  return new OpenEnvError('LAUNCH_FAILED', message);
}

/** Returns the `data` of a server's error message as an error. */
export function serverError(data: unknown): OpenEnvError {
  const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
  const { code, message, errors } = (typeof data === 'object' && data !== null ? data : { code: null }) as Record<
    string,
    any
  >;
  if (!isText(code) || !isText(message)) {
    return new OpenEnvError(
      'PROTOCOL_ERROR',
      `The server reports an error that is none of OpenEnv's, which have a code and a message: ${shown(data)}`,
      data,
    );
  }
  const problems: string[] = Array.isArray(errors) ? errors.map(describeProblem) : [];
  const said: string = message ?? 'The server reports an error without a message.';
  // The message may name the first problem itself.
  const line = problems.length > 0 && said.includes(problems[0]) ? said.split(problems[0])[0].replace(/: $/, '') : said;
  return new OpenEnvError(code ?? 'EXECUTION_ERROR', [line, ...problems].join('\n  '), data);
}
