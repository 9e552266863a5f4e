import { isId, LARGEST_ID, type Settings } from './settings';

/** Tokens by ID and IDs by token. */
export class Vocabulary {
  private readonly byId = new Map<number, string>();
  constructor(private readonly byToken: Map<string, number>) {
    for (const [token, id] of byToken) this.byId.set(id, token);
  }

  get size(): number {
    return this.byToken.size;
  }

  id(token: string): number | undefined {
    return this.byToken.get(token);
  }

  token(id: number): string | undefined {
    return this.byId.get(id);
  }

  ids(): Iterable<number> {
    return this.byId.keys();
  }
}

/** Returns a vocabulary that has each token's ID. Throws when one is not valid or used twice. */
export function readVocabulary(model: Settings): Vocabulary {
  const byToken = new Map<string, number>();
  const used = new Map<number, string>();
  for (const [token, id] of model.object('vocab').entries()) {
    if (!isId(id))
      throw new Error(
        `${model.where}.vocab gives the token ${JSON.stringify(token)} the ID ${JSON.stringify(id)}; IDs are integers from 0 to ${LARGEST_ID}`,
      );
    const other = used.get(id);
    if (other !== undefined)
      throw new Error(
        `${model.where}.vocab gives the ID ${id} to two tokens, ${JSON.stringify(other)} and ${JSON.stringify(token)}`,
      );
    used.set(id, token);
    byToken.set(token, id);
  }
  return new Vocabulary(byToken);
}

/** Turns a piece into tokens. */
export interface Model {
  readonly type: 'BPE' | 'Unigram' | 'WordPiece' | 'WordLevel';
  readonly vocabulary: Vocabulary;
  /** Characters of the longest token, where pieces are compared with tokens one by one. */
  readonly longest: number;
  /** Returns the IDs of a piece that is not empty. */
  tokenize(piece: string): number[];
}

/** Returns the IDs of a text's bytes, as `<0x41>`; `undefined` where the vocabulary lacks one. */
export function byteTokens(vocabulary: Vocabulary, text: string): number[] | undefined {
  const ids: number[] = [];
  for (const byte of Buffer.from(text, 'utf8')) {
    const id = vocabulary.id(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}
