/* Changes of a text before it is split. */
import { toByteCharacters } from './bytes';
import { readCharsMap } from './charsMap';
import { matchesOf, readPattern, type Pattern } from './patterns';
import { checkGrowth, inSequence, stepsOf } from './sequence';
import type { Settings } from './settings';

export type Normalizer = (text: string) => string;

/** Rust's whitespace, as the inside of a character class. */
export const SPACE = '\\t-\\r\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

export interface Context {
  /** Called with each pattern. */
  usesPattern(pattern: Pattern): void;
}

export function readNormalizer(settings: Settings, context: Context): Normalizer {
  const type = settings.text('type');
  switch (type) {
    case 'Sequence': {
      const steps = stepsOf(settings, 'normalizers', (step) => readNormalizer(step, context));
      return (text) => inSequence(steps, text, (changed) => changed.length, settings.where);
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => text.normalize(type);
    case 'Lowercase':
      return lowercase;
    case 'Strip':
      return strip(settings.flag('strip_left', true), settings.flag('strip_right', true));
    case 'StripAccents':
      return (text) => text.replace(/\p{M}/gu, '');
    case 'Prepend': {
      const prefix = settings.text('prepend');
      return (text) => (text === '' ? text : prefix + text);
    }
    case 'Replace': {
      const pattern = readPattern(settings);
      context.usesPattern(pattern);
      return replacing(pattern, settings.text('content'), settings.where);
    }
    case 'Nmt':
      return nmt;
    case 'ByteLevel':
      return toByteCharacters;
    case 'BertNormalizer':
      return bert(settings);
    case 'Precompiled':
      return readCharsMap(settings.text('precompiled_charsmap'), settings.where);
  }
  throw new Error(`${settings.where}.type is ${type}, which is not known here`);
}

/** Returns a normalizer that replaces the matches of a pattern. */
export function replacing({ expression, text: searched }: Pattern, content: string, where: string): Normalizer {
  return (text) => {
    if (searched) {
      const parts = text.split(searched);
      checkGrowth(text.length + (parts.length - 1) * (content.length - searched.length), text.length, where);
      return parts.join(content);
    }
    let [result, from] = ['', 0];
    for (const [start, end] of matchesOf(expression, text)) {
      result += text.slice(from, start) + content;
      from = end;
      checkGrowth(result.length, text.length, where);
    }
    return result + text.slice(from);
  };
}

/** Returns a text in lower case, character by character: Σ is σ also at the end of a word. */
export function lowercase(text: string): string {
  return text.replaceAll('Σ', 'σ').toLowerCase();
}

function strip(left: boolean, right: boolean): Normalizer {
  const [start, isSpace] = [new RegExp(`^[${SPACE}]+`), new RegExp(`[${SPACE}]`)];
  return (text) => {
    const rest = left ? text.replace(start, '') : text;
    let end = rest.length;
    while (right && end > 0 && isSpace.test(rest[end - 1])) end--;
    return rest.slice(0, end);
  };
}

function nmt(text: string): string {
  return text
    .replace(/[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/g, '')
    .replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, ' ');
}

const CHINESE =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

function bert(settings: Settings): Normalizer {
  const lower = settings.flag('lowercase', true);
  const clean = settings.flag('clean_text', true);
  const chinese = settings.flag('handle_chinese_chars', true);
  const accents = settings.has('strip_accents') ? settings.flag('strip_accents', false) : lower;
  const spaces = new RegExp(`[${SPACE}]`, 'g');
  return (text) => {
    let result = text;
    if (clean) result = result.replace(/[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, '').replace(spaces, ' ');
    if (chinese) result = result.replace(CHINESE, ' $& ');
    if (accents) result = result.normalize('NFD').replace(/\p{Mn}/gu, '');
    return lower ? lowercase(result) : result;
  };
}
