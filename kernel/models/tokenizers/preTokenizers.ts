/* How a text is split before its parts become tokens. */
import { toByteCharacters } from './bytes';
import { SPACE, type Context } from './normalizers';
import { readPattern } from './patterns';
import { BEHAVIORS, spansOf, split, type Behavior, type Finder, type Piece } from './pieces';
import { inSequence, stepsOf } from './sequence';
import type { Settings } from './settings';

export type PreTokenizer = (pieces: Piece[]) => Piece[];

const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d';
const PUNCTUATION = spansOf(/[\p{P}!-/:-@[-`{-~]/gu);
const WHITESPACE = spansOf(new RegExp(`[${SPACE}]`, 'gu'));
const DIGIT = spansOf(/\p{N}/gu);
const WORDS = spansOf(new RegExp(`[${WORD}]+|[^${WORD}${SPACE}]+`, 'gu'));
const BYTE_LEVEL = spansOf(
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\t-\r\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\p{L}\p{N}]+|[\t-\r\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+(?![^\t-\r\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])|[\t-\r\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu,
);

/** Returns a pre-tokenizer that changes each piece on its own. */
function each(change: (piece: Piece) => Piece[]): PreTokenizer {
  return (pieces) => pieces.flatMap(change);
}

function splitting(find: Finder, behavior: Behavior, invert = false): PreTokenizer {
  return each((piece) => split(piece, find, behavior, invert));
}

export function readPreTokenizer(settings: Settings, context: Context): PreTokenizer {
  const type = settings.text('type');
  switch (type) {
    case 'Sequence': {
      const steps = stepsOf(settings, 'pretokenizers', (step) => readPreTokenizer(step, context));
      return (pieces) =>
        inSequence(steps, pieces, (parts) => parts.reduce((sum, { text }) => sum + text.length, 0), settings.where);
    }
    case 'ByteLevel':
      return byteLevel(settings.flag('add_prefix_space', true), settings.flag('use_regex', true));
    case 'Metaspace':
      return metaspace(settings);
    case 'Split': {
      const pattern = readPattern(settings);
      context.usesPattern(pattern);
      return splitting(spansOf(pattern.expression), behaviorOf(settings), settings.flag('invert', false));
    }
    case 'Whitespace':
      return splitting(WORDS, 'Removed', true);
    case 'WhitespaceSplit':
      return splitting(WHITESPACE, 'Removed');
    case 'BertPreTokenizer':
      return (pieces) => splitting(PUNCTUATION, 'Isolated')(splitting(WHITESPACE, 'Removed')(pieces));
    case 'Punctuation':
      return splitting(PUNCTUATION, behaviorOf(settings, 'Isolated'));
    case 'Digits':
      return splitting(DIGIT, settings.flag('individual_digits', false) ? 'Isolated' : 'Contiguous');
    case 'CharDelimiterSplit': {
      const delimiter = oneCharacter(settings, 'delimiter');
      return splitting(spansOf(new RegExp(delimiter.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&'), 'gu')), 'Removed');
    }
    case 'FixedLength':
      return fixedLength(settings);
  }
  throw new Error(`${settings.where}.type is ${type}, which is not known here`);
}

function behaviorOf(settings: Settings, otherwise?: Behavior): Behavior {
  return settings.one('behavior', BEHAVIORS, otherwise);
}

export function oneCharacter(settings: Settings, name: string, otherwise?: string): string {
  const text = settings.text(name, otherwise);
  return [...text].length === 1 ? text : settings.fail(name, 'one character');
}

function byteLevel(addSpace: boolean, useRegex: boolean): PreTokenizer {
  return each((piece) => {
    const whole = addSpace && !piece.text.startsWith(' ') ? { ...piece, text: ` ${piece.text}` } : piece;
    const parts = useRegex ? split(whole, BYTE_LEVEL, 'Isolated') : [whole];
    return parts.map(({ text, atStart }) => ({ text: toByteCharacters(text), atStart }));
  });
}

export const PREPEND_SCHEMES = ['always', 'first', 'never'] as const;

/** Returns when a space is put before a text; older files have a flag for it, too. */
export function prependScheme(settings: Settings): (typeof PREPEND_SCHEMES)[number] {
  const scheme = settings.one('prepend_scheme', PREPEND_SCHEMES, 'always');
  if (!settings.flag('add_prefix_space', true) && scheme !== 'never')
    settings.fail('prepend_scheme', '"never" where add_prefix_space is false');
  return scheme;
}

function metaspace(settings: Settings): PreTokenizer {
  const mark = oneCharacter(settings, 'replacement', '▁');
  const scheme = prependScheme(settings);
  const find = spansOf(new RegExp(mark.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&'), 'gu'));
  const splits = settings.has('split') ? settings.flag('split', true) : true;
  return each(({ text, atStart }) => {
    const marked = text.replaceAll(' ', mark);
    const prepended =
      !marked.startsWith(mark) && (scheme === 'always' || (scheme === 'first' && atStart)) ? mark + marked : marked;
    const piece = { text: prepended, atStart };
    return splits ? split(piece, find, 'MergedWithNext') : [piece];
  });
}

function fixedLength(settings: Settings): PreTokenizer {
  const length = settings.whole('length', 5);
  if (length === 0) settings.fail('length', 'at least 1');
  return each(({ text, atStart }) => {
    const characters = [...text];
    return Array.from({ length: Math.ceil(characters.length / length) }, (_, i) => ({
      text: characters.slice(i * length, (i + 1) * length).join(''),
      atStart: atStart && i === 0,
    }));
  });
}
