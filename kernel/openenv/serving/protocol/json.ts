import { ValidationFailure } from '../../../schema/problems';
import { parseExact, stringifyExact } from '../../../common/exactJson';
import { checkTextNesting, NestingError } from '../../../common/nesting';
import { jsonValue, JsonValueError } from '../../../schema/jsonValue';
import { MAXIMUM_MESSAGE } from './limits';
import { isA } from '../thrown';

/** A text that is not JSON. */
export class JsonFailure extends Error {
  override readonly name = 'JsonFailure';
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of a message. A byte order mark at its start is left out. */
export function readText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new JsonFailure('The message is not valid UTF-8.');
  }
}

/**
 * Returns what a message says; integers that a number cannot hold are bigints.
 *
 * @throws JsonFailure where it is not JSON
 * @throws ValidationFailure where it is nested too deeply or has a number that is too large for JavaScript
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

/** Throws where a number became Infinity: the problem names its place, from the message's data on. */
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

/** An answer as it travels. Throws what is wrong with it: an environment may give what cannot be sent. */
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
