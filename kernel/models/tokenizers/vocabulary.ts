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

/** A vocabulary that names each token's ID. */
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
  /** The IDs of a piece that is not empty. */
  tokenize(piece: string): number[];
}

/** IDs of the bytes of a text as `<0x41>`, where the vocabulary has them all. */
export function byteTokens(vocabulary: Vocabulary, text: string): number[] | undefined {
  const ids: number[] = [];
  for (const byte of Buffer.from(text, 'utf8')) {
    const id = vocabulary.id(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}
