/* Texts as Python sees them: sequences of code points, with its own ideas of whitespace, cases and lines. */

/** Whitespace by `str.isspace`, as the inside of a character class. */
export const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const SURROGATE = /[\ud800-\udfff]/;
const PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;

let last: { text: string; characters: string[] | undefined } = { text: '', characters: undefined };

/** Returns the code points of a text; `undefined` where its UTF-16 units are its code points. */
function wide(text: string): string[] | undefined {
  if (text.length < 32) return SURROGATE.test(text) ? [...text] : undefined;
  // Templates index the same text again and again.
  if (last.text !== text) last = { text, characters: SURROGATE.test(text) ? [...text] : undefined };
  return last.characters;
}

export function codePointLength(text: string): number {
  return wide(text)?.length ?? text.length;
}

export function characters(text: string): Iterable<string> {
  return wide(text) ?? text;
}

export function characterAt(text: string, index: number): string {
  return (wide(text) ?? text)[index];
}

/** Returns a text from code point `start` to before `end`. */
export function sliceText(text: string, start: number, end?: number): string {
  return wide(text)?.slice(start, end).join('') ?? text.slice(start, end);
}

/** Returns the index of a code point from that of its UTF-16 unit. */
export function codePointIndex(text: string, unit: number): number {
  return unit - (text.slice(0, unit).match(PAIR)?.length ?? 0);
}

/** Returns the order of texts by code points: negative, 0 or positive. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [wide(a), wide(b)];
  if (!left && !right) return a < b ? -1 : 1;
  const [x, y] = [left ?? [...a], right ?? [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i++)
    if (x[i] !== y[i]) return x[i].codePointAt(0)! - y[i].codePointAt(0)!;
  return x.length - y.length;
}

const START_SPACE = new RegExp(`^[${SPACE}]+`);
const IS_SPACE = new RegExp(`^[${SPACE}]$`);

export function isSpace(character: string): boolean {
  return IS_SPACE.test(character);
}

export function trimStart(text: string): string {
  return text.replace(START_SPACE, '');
}

/** Returns a text without trailing whitespace. No pattern is used: it would try every run of whitespace in the text. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1])) end--;
  return text.slice(0, end);
}

/** Returns the words between whitespace. */
export function words(text: string): string[] {
  return text.match(new RegExp(`[^${SPACE}]+`, 'g')) ?? [];
}

/** Returns the lines of a text as `str.splitlines` does. */
export function lines(text: string, keepEnds = false): string[] {
  const found =
    text.match(
      /[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])|[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+$/g,
    ) ?? [];
  return keepEnds ? found : found.map((line) => line.replace(/(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])$/, ''));
}

/** Returns the title case of a character. */
export function titleCase(character: string): string {
  const code = character.codePointAt(0)!;
  const upper = character.toUpperCase();
  // Digraphs have a form of their own: ǅ.
  if (code >= 0x1c4 && code <= 0x1cc) return String.fromCharCode(code - ((code - 0x1c4) % 3) + 1);
  if (code >= 0x1f1 && code <= 0x1f3) return 'ǲ';
  // Georgian has capitals only for whole words in capitals.
  if ((code >= 0x10d0 && code <= 0x10fa) || (code >= 0x10fd && code <= 0x10ff)) return character;
  // Greek vowels keep the iota that is below them.
  if (code >= 0x1f80 && code <= 0x1faf) return String.fromCharCode(code | 8);
  if (code >= 0x1fb2 && upper.endsWith('Ι')) return GREEK[character] ?? `${upper.slice(0, -1)}\u0345`;
  const parts = [...upper];
  return parts.length === 1 || character === 'ŉ' ? upper : parts[0] + parts.slice(1).join('').toLowerCase();
}

const GREEK: Record<string, string> = { ᾳ: 'ᾼ', ᾼ: 'ᾼ', ῃ: 'ῌ', ῌ: 'ῌ', ῳ: 'ῼ', ῼ: 'ῼ' };

const CASED = /^\p{Cased}$/u;

/** Yields the characters of a text, each with its lower case in this text: that of Σ depends on its neighbours. */
function* withLowerCase(text: string): Iterable<[string, string]> {
  const lower = text.toLowerCase();
  let at = 0;
  for (const character of text) {
    const length = character.toLowerCase().length;
    yield [character, lower.slice(at, at + length)];
    at += length;
  }
}

/** Returns `str.title()` of a text. */
export function titled(text: string): string {
  let [result, inWord] = ['', false];
  for (const [character, lower] of withLowerCase(text)) {
    result += inWord ? lower : titleCase(character);
    inWord = CASED.test(character);
  }
  return result;
}

/** Returns `str.capitalize()` of a text. */
export function capitalized(text: string): string {
  let result = '';
  for (const [character, lower] of withLowerCase(text)) result += result === '' ? titleCase(character) : lower;
  return result;
}

/** Returns `str.swapcase()` of a text. */
export function swapped(text: string): string {
  let result = '';
  for (const [character, lower] of withLowerCase(text)) {
    result += /\p{Uppercase}/u.test(character)
      ? lower
      : /\p{Lowercase}/u.test(character)
        ? character.toUpperCase()
        : character;
  }
  return result;
}

const DIGIT =
  '\\p{Nd}²³¹፩-፱᧚⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒\\u{10a40}-\\u{10a43}\\u{10e60}-\\u{10e68}\\u{11052}-\\u{1105a}\\u{1f100}-\\u{1f10a}';
const NUMERIC =
  '\\p{N}㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌叁参參叄四壱壹幺廾廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零\\u{f96b}\\u{f973}\\u{f978}\\u{f9b2}\\u{f9d1}\\u{f9d3}\\u{f9fd}' +
  '\\u{20001}\\u{20064}\\u{200e2}\\u{20121}\\u{2092a}\\u{20983}\\u{2098c}\\u{2099c}\\u{20aea}\\u{20afd}\\u{20b19}\\u{22390}\\u{22998}\\u{23b1b}\\u{2626d}\\u{2f890}';

/** Methods such as `isalpha`, by name. */
export const PREDICATES: Record<string, (text: string) => boolean> = {
  isalnum: every(`[\\p{L}${DIGIT}${NUMERIC}]`),
  isalpha: every('\\p{L}'),
  isdecimal: every('\\p{Nd}'),
  isdigit: every(`[${DIGIT}]`),
  isnumeric: every(`[${NUMERIC}]`),
  isspace: every(`[${SPACE}]`),
  isascii: (text) => /^[\0-\x7f]*$/.test(text),
  isprintable: (text) => !/[\p{C}\p{Z}]/u.test(text.replaceAll(' ', '')),
  isidentifier: (text) => /^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(text),
  islower: (text) => /\p{Lowercase}/u.test(text) && !/[\p{Uppercase}\p{Lt}]/u.test(text),
  isupper: (text) => /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text),
  istitle: isTitled,
};

function every(character: string): (text: string) => boolean {
  const pattern = new RegExp(`^${character}+$`, 'u');
  return (text) => pattern.test(text);
}

function isTitled(text: string): boolean {
  let [inWord, any] = [false, false];
  for (const character of text) {
    if (/[\p{Uppercase}\p{Lt}]/u.test(character)) {
      if (inWord) return false;
      inWord = any = true;
    } else if (/\p{Lowercase}/u.test(character)) {
      if (!inWord) return false;
    } else inWord = false;
  }
  return any;
}
