/* Finding texts in texts, in a time that their lengths bound. */
import { spend, spendCharacters } from './budget';

/** JavaScript's own search is quick for short texts; for others it can take the product of the lengths. */
const SHORT = 64;

/** Returns where a text is first found, from a place on, or -1. */
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

/** Returns where a text is last found, or -1. */
export function findLast(text: string, searched: string): number {
  if (searched.length <= SHORT) {
    spend(1 + (text.length * searched.length) / 128);
    return text.lastIndexOf(searched);
  }
  spendCharacters(text.length);
  const at = find(text.split('').reverse().join(''), searched.split('').reverse().join(''));
  return at < 0 ? -1 : text.length - searched.length - at;
}

/** All places where a text is found, none within another. */
export function* findAll(text: string, searched: string): Iterable<number> {
  for (let at = find(text, searched); at >= 0; at = find(text, searched, at + searched.length)) yield at;
}

/** The parts between a text that is not empty. */
export function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (const at of findAll(text, separator)) {
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  return [...parts, text.slice(from)];
}

/** For each beginning of a text, how much of it is its end as well as its beginning. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length);
  for (let i = 1, length = 0; i < text.length; i++) {
    while (length > 0 && text[i] !== text[length]) length = borders[length - 1];
    if (text[i] === text[length]) length++;
    borders[i] = length;
  }
  return borders;
}
