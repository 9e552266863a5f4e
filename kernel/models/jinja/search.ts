/* Finding texts in texts, in a time that their lengths bound. */
import { spend, spendCharacters } from './budget';

/** Longest text for which JavaScript's own search is used; for longer ones it can take the product of the lengths. */
const SHORT = 64;

/** Returns the index of the first occurrence of a text at or after `from`; −1 where there is none. */
export function find(text: string, searched: string, from = 0): number {
  if (searched.length <= SHORT) {
    const at = text.indexOf(searched, from);
    spend(1 + (((at < 0 ? text.length : at) - from) * searched.length) / 128);
    return at;
  }
  spendCharacters(text.length - from + searched.length);
  const borders = bordersOf(searched);
  for (let i = from, matched = 0; i < text.length; i++) {
    while (matched > 0 && text[i] !== searched[matched]) matched = borders[matched - 1];
    if (text[i] === searched[matched]) matched++;
    if (matched === searched.length) return i - matched + 1;
  }
  return -1;
}

/** Returns the index of the last occurrence of a text; −1 where there is none. */
export function findLast(text: string, searched: string): number {
  if (searched.length <= SHORT) {
    spend(1 + (text.length * searched.length) / 128);
    return text.lastIndexOf(searched);
  }
  spendCharacters(text.length);
  const at = find(text.split('').reverse().join(''), searched.split('').reverse().join(''));
  return at < 0 ? -1 : text.length - searched.length - at;
}

/** Yields the indices of all occurrences of a text that do not overlap. */
export function* findAll(text: string, searched: string): Iterable<number> {
  for (let at = find(text, searched); at >= 0; at = find(text, searched, at + searched.length)) yield at;
}

/** Returns the parts of a text between occurrences of a separator, which must not be empty. */
export function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (const at of findAll(text, separator)) {
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  return [...parts, text.slice(from)];
}

/** Returns for each prefix of a text the length of its longest border: a proper prefix that is also its suffix. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length);
  for (let i = 1, length = 0; i < text.length; i++) {
    while (length > 0 && text[i] !== text[length]) length = borders[length - 1];
    if (text[i] === text[length]) length++;
    borders[i] = length;
  }
  return borders;
}
