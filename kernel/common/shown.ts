import { stringifyExact } from './exactJson';

/** Characters of a value that a message shows, at most. */
const MOST = 200;

/** Returns a value as a message shows it: as JSON, cut after `most` characters. */
export function shown(value: unknown, most = MOST): string {
  let text: string;
  try {
    text =
      (typeof value === 'object'
        ? stringifyExact(value)
        : typeof value === 'string'
          ? JSON.stringify(value.slice(0, most))
          : undefined) ?? String(value);
  } catch {
    text = Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  }
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
