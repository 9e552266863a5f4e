/* How tokens become a text again. */
import { fromByteCharacters } from './bytes';
import { replacing, type Context } from './normalizers';
import { readPattern } from './patterns';
import { oneCharacter, prependScheme } from './preTokenizers';
import { inSequence, stepsOf, totalLength } from './sequence';
import type { Settings } from './settings';

export type Decoder = (tokens: string[]) => string[];

export function readDecoder(settings: Settings, context: Context): Decoder {
  const type = settings.text('type');
  switch (type) {
    case 'Sequence': {
      const steps = stepsOf(settings, 'decoders', (step) => readDecoder(step, context));
      return (tokens) => inSequence(steps, tokens, totalLength, settings.where);
    }
    case 'ByteLevel':
      return (tokens) => [fromByteCharacters(tokens)];
    case 'WordPiece':
      return wordPiece(settings.text('prefix', '##'), settings.flag('cleanup', true));
    case 'Metaspace':
      return metaspace(settings);
    case 'BPEDecoder': {
      const suffix = settings.text('suffix', '</w>');
      return (tokens) =>
        tokens.map((token, i) =>
          suffix === '' ? token : token.replaceAll(suffix, i === tokens.length - 1 ? '' : ' '),
        );
    }
    case 'CTC':
      return ctc(settings);
    case 'Fuse':
      return (tokens) => [tokens.join('')];
    case 'Strip':
      return strip(settings);
    case 'ByteFallback':
      return byteFallback;
    case 'Replace': {
      const pattern = readPattern(settings);
      context.usesPattern(pattern);
      const replace = replacing(pattern, settings.text('content'), settings.where);
      return (tokens) => tokens.map(replace);
    }
  }
  throw new Error(`${settings.where}.type is ${type}, which is not known here`);
}

const CLEANUP: [string, string][] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
];
const CLEANUP_AFTER: [string, string][] = [
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** Returns a text without the spaces before English punctuation and contractions. */
export function cleanUp(text: string, doNot: boolean): string {
  const all = [...CLEANUP, ...(doNot ? ([[' do not', " don't"]] as [string, string][]) : []), ...CLEANUP_AFTER];
  return all.reduce((changed, [from, to]) => changed.replaceAll(from, to), text);
}

function wordPiece(prefix: string, cleanup: boolean): Decoder {
  return (tokens) =>
    tokens.map((token, i) => {
      const joined = i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      return cleanup ? cleanUp(joined, true) : joined;
    });
}

function metaspace(settings: Settings): Decoder {
  const mark = oneCharacter(settings, 'replacement', '▁');
  const scheme = prependScheme(settings);
  return (tokens) => tokens.map((token, i) => token.replaceAll(mark, i === 0 && scheme !== 'never' ? '' : ' '));
}

function ctc(settings: Settings): Decoder {
  const [padding, delimiter, cleanup] = [
    settings.text('pad_token', '<pad>'),
    settings.text('word_delimiter_token', '|'),
    settings.flag('cleanup', true),
  ];
  const without = (text: string, part: string, to: string): string => (part === '' ? text : text.replaceAll(part, to));
  return (tokens) =>
    tokens
      .filter((token, i) => i === 0 || token !== tokens[i - 1])
      .map((token) => without(token, padding, ''))
      .map((token) => (cleanup ? without(cleanUp(token, true), delimiter, ' ') : token))
      .filter((token) => token !== '');
}

function strip(settings: Settings): Decoder {
  const content = oneCharacter(settings, 'content', ' ');
  const [start, stop] = [settings.whole('start', 0), settings.whole('stop', 0)];
  return (tokens) =>
    tokens.map((token) => {
      const characters = [...token];
      let [from, to] = [0, characters.length];
      while (from < start && characters[from] === content) from++;
      while (characters.length - to < stop && characters[to - 1] === content && to > 0) to--;
      return characters.slice(from, Math.max(from, to)).join('');
    });
}

const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

/** Returns tokens with runs of byte tokens decoded; bytes that are not UTF-8 become a replacement character each. */
function byteFallback(tokens: string[]): string[] {
  const result: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length === 0) return;
    const text = Buffer.from(bytes).toString('utf8');
    const isText = Buffer.from(text, 'utf8').equals(Buffer.from(bytes));
    if (isText) result.push(text);
    else for (const _ of bytes) result.push('\ufffd');
    bytes = [];
  };
  for (const token of tokens) {
    const byte = BYTE.exec(token);
    if (byte) bytes.push(parseInt(byte[1], 16));
    else {
      flush();
      result.push(token);
    }
  }
  flush();
  return result;
}
