import { ValidationFailure } from '../../../schema/problems';
import { parseExact, stringifyExact } from '../../../common/exactJson';
import { checkTextNesting, NestingError } from '../../../common/nesting';
import { jsonValue, JsonValueError } from '../../../schema/jsonValue';
import { MAXIMUM_MESSAGE } from './limits';
import { isA } from '../thrown';

/** Thrown when a text is not JSON. */
export class JsonFailure extends Error {
  override readonly name = 'JsonFailure';
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Returns the text of a message without its byte order mark. Throws {@link JsonFailure} when it is not UTF-8. */
export function readText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new JsonFailure('The message is not valid UTF-8.');
  }
}

/**
 * Returns the value of a message, with integers that a number cannot hold as bigints.
 *
 * @throws JsonFailure when it is not JSON
 * @throws ValidationFailure when it is nested too deeply or has a number that is too
 *   large for JavaScript
 */
export function readJson(text: string): unknown {
  const value = parsed(text);
  if (HUGE_NUMBER.test(text)) checkFinite(value);
  return value;
}

function parsed(text: string): unknown {
  try {
    return parseExact(text, 'The message');
  } catch (error) {
    if (isA(error, NestingError))
      throw new ValidationFailure([{ type: 'recursion_loop', loc: [], msg: error.message }]);
    throw new JsonFailure((error as Error).message);
  }
}

/** Digits that may be a number beyond 1.8e308, which becomes Infinity. */
const HUGE_NUMBER = /\de\+?\d{3}|\d{300}/i;

/** Throws {@link ValidationFailure} when a number became Infinity, with its path from the message's data on. */
function checkFinite(message: unknown): void {
  try {
    jsonValue(message, 'The message');
  } catch (error) {
    if (!(error instanceof JsonValueError)) throw error;
    const loc = ['data', 'action'].includes(String(error.path[0])) ? error.path.slice(1) : error.path;
    throw new ValidationFailure([
      { type: 'finite_number', loc, msg: 'Input should be a finite number: numbers go up to 1.8e308' },
    ]);
  }
}

/** Returns an answer as JSON. Throws when it is too large or nested too deeply to be sent. */
export function writeJson(answer: unknown): string {
  const text = written(answer);
  checkTextNesting(text, 'The answer of the environment');
  const bytes = text.length > MAXIMUM_MESSAGE / 3 ? Buffer.byteLength(text) : text.length;
  if (bytes > MAXIMUM_MESSAGE)
    throw new RangeError(
      `The answer of the environment has ${bytes} bytes; a message may have ${MAXIMUM_MESSAGE} at most.`,
    );
  return text;
}

function written(answer: unknown): string {
  try {
    return stringifyExact(answer) ?? 'null';
  } catch (error) {
    if (isA(error, RangeError) && /call stack/.test(error.message))
      throw new NestingError('The answer of the environment');
    throw error;
  }
}
