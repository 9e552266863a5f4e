/*
 * Patterns of tokenizers are Oniguruma's. The library of Hugging Face turns
 * them into JavaScript's, or refuses them. Both go back and forth where a
 * pattern is ambiguous, which can take for ever: patterns that are not those
 * of a published family are matched with a deadline.
 */
import { DeadlineError, withDeadline } from '../../common/threads/deadline';
import type { Settings } from './settings';

/** The library's pre-tokenizer, which its types leave out. */
const { SplitPreTokenizer } = require('@huggingface/tokenizers') as {
  SplitPreTokenizer: new (settings: object) => { pattern: RegExp | null };
};

export interface Pattern {
  expression: RegExp;
  /** The text to find, where the pattern is a text. */
  text?: string;
  /** Whether it can be matched without a deadline. */
  isKnown: boolean;
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const CASED = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+';
const CAPITALS = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*';
const SPACES = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
/** Patterns of GPT-2, Llama 3 and cl100k, Qwen 2 and 3, gpt-oss (o200k) and DeepSeek, and simple ones. */
const KNOWN = new Set([
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  ...['\\p{N}{1,3}', '\\p{N}'].map(
    (digits) => `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${SPACES}`,
  ),
  ...['\\p{N}{1,3}', '\\p{N}'].map(
    (digits) =>
      `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|${digits}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${SPACES}`,
  ),
  `${CASED}${CONTRACTIONS}?|${CAPITALS}${CONTRACTIONS}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${SPACES}`,
  '\\p{N}{1,3}',
  '[一-龥぀-ゟ゠-ヿ]+',
  '[一-龥ࠀ-一가-퟿]+',
  '[\\r\\n]',
  '\\s?\\p{L}+',
  '\\s?\\p{P}+',
  '\\d',
  '\\d+',
  '\\s',
  '\\s+',
  ' {2,}',
  '\\n',
  ' ',
  '\\p{N}',
  '\\p{L}+',
]);
/** Characters of a pattern, at most; published ones have some hundred. */
const LONGEST = 10_000;

/**
 * Returns the pattern of a normalizer, a pre-tokenizer or a decoder: a text or a
 * regular expression. Throws when it is too long or not valid.
 */
export function readPattern(settings: Settings, name = 'pattern'): Pattern {
  const pattern = settings.object(name);
  if (pattern.has('String')) {
    const text = pattern.text('String');
    return { expression: new RegExp(escaped(text) || '(?:)', 'gu'), text, isKnown: true };
  }
  const source = pattern.text('Regex');
  if (source.length > LONGEST)
    throw new Error(`${pattern.where}.Regex has ${source.length} characters; at most ${LONGEST} are possible`);
  return { expression: translated(source, `${pattern.where}.Regex`), isKnown: KNOWN.has(source) };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** Yields the matches of a pattern, without empty ones right after another. */
export function* matchesOf(expression: RegExp, text: string): Iterable<[start: number, end: number]> {
  let last = -1;
  for (const { 0: match, index } of text.matchAll(expression)) {
    if (match === '' && index === last) continue;
    last = index + match.length;
    yield [index, last];
  }
}

function translated(source: string, where: string): RegExp {
  // The library takes it for a letter.
  if (/(?:^|[^\\])(?:\\\\)*\\G/.test(source)) throw new Error(`${where} has \\G, which cannot be used here`);
  try {
    const { pattern } = new SplitPreTokenizer({
      type: 'Split',
      pattern: { Regex: source },
      behavior: 'Isolated',
      invert: false,
    });
    if (pattern) return pattern;
  } catch (error) {
    throw new Error(`${where} is a pattern that cannot be used here: ${(error as Error).message}`);
  }
  throw new Error(`${where} is not a pattern`);
}

/** Seconds for a text, and for each million of its characters. */
const SECONDS = 2;

/** Runs `work`. Throws when it takes too long, patterns included. */
export function withinTime<T>(work: () => T, characters: number, name: string): T {
  const seconds = SECONDS * (1 + characters / 1_000_000);
  try {
    return withDeadline(work, Math.ceil(seconds * 1000));
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new Error(
      `${name}: its patterns took more than ${seconds.toFixed(1)} s for a text of ${characters} characters, which a pattern with nested repetitions such as (a+)+ can do; write it without them`,
    );
  }
}
