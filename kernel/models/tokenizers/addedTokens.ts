/* Tokens that are found in a text before it is split: special ones, and others that were added. */
import { SPACE, type Normalizer } from './normalizers';
import type { Piece } from './pieces';
import type { Settings } from './settings';
import type { Vocabulary } from './vocabulary';

export interface AddedToken {
  id: number;
  /** Text by which it is found, and written. */
  written: string;
  content: string;
  /** Whether it is found only where no letter or digit is before or after it. */
  singleWord: boolean;
  /** Whether it takes the whitespace before it. */
  lstrip: boolean;
  rstrip: boolean;
  /** Whether it is found in the normalized text. */
  normalized: boolean;
  /** Whether it is left out of texts with `skipSpecialTokens`. */
  special: boolean;
}

/** A token before it is added. */
export type NewToken = Omit<AddedToken, 'id' | 'written'>;

/** An added token that was found, or the text between two. */
export type Found = { token: AddedToken } | Piece;

export function readAddedToken(settings: Settings): NewToken {
  const special = settings.flag('special', false);
  return {
    content: settings.text('content'),
    singleWord: settings.flag('single_word', false),
    lstrip: settings.flag('lstrip', false),
    rstrip: settings.flag('rstrip', false),
    special,
    normalized: settings.flag('normalized', !special),
  };
}

export class AddedTokens {
  private readonly byContent = new Map<string, AddedToken>();
  private readonly byId = new Map<number, AddedToken>();
  private readonly special = new Set<string>();
  /** Largest ID of an added token. */
  private largest = -1;
  private plain: Trie | undefined;
  private normalizing: Trie | undefined;

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly normalizer: Normalizer | undefined,
  ) {}

  /** Adds a token and returns it; its ID is that of the vocabulary, or the next free one. An empty token is ignored. */
  add(token: NewToken): AddedToken | undefined {
    if (token.content === '') return undefined;
    const id = this.byContent.get(token.content)?.id ?? this.vocabulary.id(token.content) ?? this.nextId();
    const written = token.normalized && this.normalizer ? this.normalizer(token.content) : token.content;
    const added = { ...token, id, written };
    this.byContent.set(token.content, added);
    this.byId.set(id, added);
    this.largest = Math.max(this.largest, id);
    if (token.special) this.special.add(token.content);
    this.plain = this.normalizing = undefined;
    return added;
  }

  private nextId(): number {
    const { size } = this.vocabulary;
    return this.largest >= 0 && (this.largest >= size || size === 0) ? this.largest + 1 : size;
  }

  get(content: string): AddedToken | undefined {
    return this.byContent.get(content);
  }

  token(id: number): AddedToken | undefined {
    return this.byId.get(id);
  }

  isSpecial(content: string): boolean {
    return this.special.has(content);
  }

  /** Characters of the longest added token. */
  get longest(): number {
    return [...this.byId.values()].reduce((most, { written }) => Math.max(most, written.length), 0);
  }

  /** Returns how many tokens the vocabulary does not have. */
  get count(): number {
    return [...this.byContent.keys()].filter((content) => this.vocabulary.id(content) === undefined).length;
  }

  /** Returns the added tokens of a text, and the normalized text between them. */
  find(text: string): Found[] {
    this.plain ??= this.trie(false);
    this.normalizing ??= this.trie(true);
    const { normalizing } = this;
    return search({ text, atStart: true }, this.plain).flatMap((found) => {
      if ('token' in found) return [found];
      const piece = this.normalizer ? { ...found, text: this.normalizer(found.text) } : found;
      return search(piece, normalizing);
    });
  }

  private trie(normalized: boolean): Trie {
    const trie = new Trie();
    for (const token of this.byId.values()) if (token.normalized === normalized) trie.add(token.written, token);
    return trie;
  }
}

const WORD_END = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]$/u;
const WORD_START = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u;
const IS_SPACE = new RegExp(`[${SPACE}]`);

function search({ text, atStart }: Piece, trie: Trie): Found[] {
  if (trie.isEmpty || text === '') return text === '' ? [] : [{ text, atStart }];
  const found: Found[] = [];
  let done = 0;
  for (let at = 0; at < text.length; ) {
    const match = trie.longest(text, at);
    if (!match) {
      at++;
      continue;
    }
    let [start, stop] = [at, at + match.length];
    at = stop;
    const { token } = match;
    if (
      token.singleWord &&
      (WORD_END.test(text.slice(Math.max(0, start - 2), start)) || WORD_START.test(text.slice(stop, stop + 2)))
    )
      continue;
    if (token.lstrip) while (start > done && IS_SPACE.test(text[start - 1])) start--;
    if (token.rstrip) while (stop < text.length && IS_SPACE.test(text[stop])) stop++;
    if (start > done) found.push({ text: text.slice(done, start), atStart: atStart && done === 0 });
    found.push({ token });
    done = stop;
  }
  if (done < text.length) found.push({ text: text.slice(done), atStart: atStart && done === 0 });
  return found;
}

interface Node {
  children: Map<number, Node>;
  token: AddedToken | undefined;
}

/** Finds the longest token at an index of a text. */
class Trie {
  private readonly root: Node = { children: new Map(), token: undefined };

  get isEmpty(): boolean {
    return this.root.children.size === 0;
  }

  add(content: string, token: AddedToken): void {
    let node = this.root;
    for (let i = 0; i < content.length; i++) {
      const unit = content.charCodeAt(i);
      let next = node.children.get(unit);
      if (!next) node.children.set(unit, (next = { children: new Map(), token: undefined }));
      node = next;
    }
    if (content !== '') node.token ??= token;
  }

  longest(text: string, from: number): { token: AddedToken; length: number } | undefined {
    let [node, best]: [Node | undefined, { token: AddedToken; length: number } | undefined] = [this.root, undefined];
    for (let i = from; i < text.length; i++) {
      node = node.children.get(text.charCodeAt(i));
      if (!node) break;
      if (node.token) best = { token: node.token, length: i + 1 - from };
    }
    return best;
  }
}
