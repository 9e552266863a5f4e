import { NestingError, parseJson } from '../../common/nesting';
import { readTextFile } from './regularFile';

/** The content of a file of settings. */
export type JsonObject = Record<string, unknown>;

/** Largest JSON file in bytes: the largest of models list a hundred thousand tensors or added tokens in 10 MB. */
const MAXIMUM_BYTES = 64 * 2 ** 20;

/**
 * Reads a JSON file that holds an object, such as a model's `config.json`.
 *
 * @param maximumBytes largest size of the file in bytes
 * @throws Error that names the file when it is missing, not a file, too large, not
 *   JSON, nested too deeply, or holds something else
 */
export function readJsonFile(path: string, maximumBytes = MAXIMUM_BYTES): JsonObject {
  const text = readTextFile(path, maximumBytes);
  let value: unknown;
  try {
    value = parseJson(text, path);
  } catch (error) {
    throw error instanceof NestingError
      ? error
      : new Error(`${path} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!isObject(value))
    throw new Error(`${path} must hold a JSON object, not ${describe(value)}; fetch or save it again`);
  return value;
}

/** Returns whether a value of JSON is an object: neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns a value as JSON, shortened, for the message of an error. */
export function describe(value: unknown): string {
  // Such numbers come from digits that are too many: JSON has no name for them.
  const text = (typeof value === 'number' ? undefined : JSON.stringify(value)) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
