/* Models whose pieces are words: WordPiece and WordLevel. */
import type { Settings } from './settings';
import { readVocabulary, type Model, type Vocabulary } from './vocabulary';

function unknownId(settings: Settings, vocabulary: Vocabulary): number {
  return (
    vocabulary.id(settings.text('unk_token')) ??
    settings.fail('unk_token', 'a token of the vocabulary, as a text has words that are not in it')
  );
}

export function readWordLevel(settings: Settings): Model {
  const vocabulary = readVocabulary(settings);
  settings.text('unk_token');
  return {
    type: 'WordLevel',
    vocabulary,
    longest: 0,
    tokenize: (piece) => [vocabulary.id(piece) ?? unknownId(settings, vocabulary)],
  };
}

export function readWordPiece(settings: Settings): Model {
  const vocabulary = readVocabulary(settings);
  const prefix = settings.text('continuing_subword_prefix', '##');
  const longest = settings.count('max_input_chars_per_word', 100);
  settings.text('unk_token');
  const root = trieOf(settings.object('vocab').entries() as [string, number][]);
  const inside = [...prefix].reduce((node: Node | undefined, character) => node?.children.get(character), root);
  const tokenize = (piece: string): number[] => {
    const characters = [...piece];
    if (characters.length > longest) return [unknownId(settings, vocabulary)];
    const ids: number[] = [];
    for (let start = 0; start < characters.length; ) {
      const found = longestToken(start === 0 ? root : inside, characters, start);
      if (!found) return [unknownId(settings, vocabulary)];
      ids.push(found.id);
      start = found.end;
    }
    return ids;
  };
  const longestTokenLength = settings
    .object('vocab')
    .entries()
    .reduce((most, [token]) => Math.max(most, token.length), 0);
  return { type: 'WordPiece', vocabulary, longest: longestTokenLength, tokenize };
}

interface Node {
  children: Map<string, Node>;
  id: number | undefined;
}

function trieOf(vocabulary: readonly [string, number][]): Node {
  const root: Node = { children: new Map(), id: undefined };
  for (const [token, id] of vocabulary) {
    let node = root;
    for (const character of token) {
      let next = node.children.get(character);
      if (!next) node.children.set(character, (next = { children: new Map(), id: undefined }));
      node = next;
    }
    node.id = id;
  }
  return root;
}

/** Returns the longest token from index `start` on, in a trie or below a node of it. */
function longestToken(
  from: Node | undefined,
  characters: readonly string[],
  start: number,
): { id: number; end: number } | undefined {
  let [node, best]: [Node | undefined, { id: number; end: number } | undefined] = [from, undefined];
  for (let end = start; node && end < characters.length; ) {
    node = node.children.get(characters[end++]);
    if (node?.id !== undefined) best = { id: node.id, end };
  }
  return best;
}
