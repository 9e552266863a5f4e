import { readBpe } from './bpe';
import type { Settings } from './settings';
import { readUnigram } from './unigram';
import type { Model } from './vocabulary';
import { readWordLevel, readWordPiece } from './words';

export function readModel(settings: Settings): Model {
  const type = settings.has('type') ? settings.text('type') : typeOf(settings);
  switch (type) {
    case 'BPE':
      return readBpe(settings);
    case 'Unigram':
      return readUnigram(settings);
    case 'WordPiece':
      return readWordPiece(settings);
    case 'WordLevel':
      return readWordLevel(settings);
  }
  throw new Error(`${settings.where}.type is ${type}, which is not known here`);
}

/** Returns the type of a model that does not name it, as in older files. */
function typeOf(settings: Settings): string {
  if (settings.has('merges')) return 'BPE';
  if (Array.isArray(settings.get('vocab'))) return 'Unigram';
  return settings.has('continuing_subword_prefix') || settings.has('max_input_chars_per_word')
    ? 'WordPiece'
    : 'WordLevel';
}
