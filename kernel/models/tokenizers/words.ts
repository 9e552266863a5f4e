/* Models whose pieces are words: WordPiece and WordLevel. */
import type { Settings } from './settings';
import { readVocabulary, type Model, type Vocabulary } from './vocabulary';

function unknownId(settings: Settings, vocabulary: Vocabulary): number {
  return vocabulary.id(settings.text('unk_token')) ?? settings.fail('unk_token', 'a token of the vocabulary, as a text has words that are not in it');
}

export function readWordLevel(settings: Settings): Model {
  const vocabulary = readVocabulary(settings);
  settings.text('unk_token');
  return { type: 'WordLevel', vocabulary, tokenize: (piece) => [vocabulary.id(piece) ?? unknownId(settings, vocabulary)] };
}

export function readWordPiece(settings: Settings): Model {
  const vocabulary = readVocabulary(settings);
  const prefix = settings.text('continuing_subword_prefix', '##');
  const longest = settings.count('max_input_chars_per_word', 100);
  settings.text('unk_token');
  // No longer part of a word needs to be looked up.
  const longestToken = settings.object('vocab').entries().reduce((most, [token]) => Math.max(most, token.length), 0);
  const tokenize = (piece: string): number[] => {
    const characters = [...piece];
    if (characters.length > longest) return [unknownId(settings, vocabulary)];
    const ids: number[] = [];
    for (let start = 0; start < characters.length; ) {
      let end = Math.min(characters.length, start + longestToken);
      let id: number | undefined;
      for (; end > start; end--) {
        id = vocabulary.id((start > 0 ? prefix : '') + characters.slice(start, end).join(''));
        if (id !== undefined) break;
      }
      if (id === undefined) return [unknownId(settings, vocabulary)];
      ids.push(id);
      start = end;
    }
    return ids;
  };
  return { type: 'WordPiece', vocabulary, tokenize };
}
