/**
 * Tokenizers as Hugging Face's library has them, from a `tokenizer.json`: the
 * same tokens for every text, and the same text for all tokens, or an error.
 */
import { AddedTokens, readAddedToken } from './addedTokens';
import { cleanUp, readDecoder, type Decoder } from './decoders';
import { readModel } from './models';
import { readNormalizer, type Context } from './normalizers';
import { withinTime } from './patterns';
import { readPostProcessor, type PostProcessor } from './postProcessors';
import { readPreTokenizer, type PreTokenizer } from './preTokenizers';
import { Settings } from './settings';
import type { Model } from './vocabulary';

export interface TextTokenizerOptions {
  /** Special tokens that the file may lack. */
  specialTokens?: readonly string[];
  /** Removes spaces before punctuation in decoded texts, except with BPE. */
  cleanUpSpaces?: boolean;
}

/** Characters of the longest published tokens; encoding takes the longer, the longer the tokens are. */
const USUAL_LENGTH = 512;

export class TextTokenizer {
  private readonly model: Model;
  private readonly added: AddedTokens;
  private readonly preTokenizer: PreTokenizer | undefined;
  private readonly postProcessor: PostProcessor | undefined;
  private readonly decoder: Decoder | undefined;
  /** Whether encoding, or decoding, may take for ever. */
  private readonly needsDeadline = { encode: false, decode: false };

  /**
   * @param file content of the `tokenizer.json`
   * @param name name of the file, for errors
   */
  constructor(
    file: unknown,
    private readonly name: string,
    private readonly options: TextTokenizerOptions = {},
  ) {
    const settings = new Settings(file, name);
    const part = <T>(part: string, read: (part: Settings, context: Context) => T): T | undefined => {
      const way = part === 'decoder' ? 'decode' : 'encode';
      return settings.has(part)
        ? read(settings.object(part), { usesPattern: ({ isKnown }) => (this.needsDeadline[way] ||= !isKnown) })
        : undefined;
    };
    const normalizer = part('normalizer', readNormalizer);
    this.preTokenizer = part('pre_tokenizer', readPreTokenizer);
    this.postProcessor = part('post_processor', readPostProcessor);
    this.decoder = part('decoder', readDecoder);
    this.model = readModel(settings.object('model'));
    this.added = new AddedTokens(this.model.vocabulary, normalizer);
    // They are normalized, which patterns do, too.
    this.bounded('encode', 0, () => this.addTokens(settings));
    this.needsDeadline.encode ||= Math.max(this.model.longest, this.added.longest) > USUAL_LENGTH;
  }

  private addTokens(settings: Settings): void {
    for (const token of settings.has('added_tokens') ? settings.objects('added_tokens') : []) {
      token.whole('id');
      this.added.add(readAddedToken(token));
    }
    const alone = { singleWord: false, lstrip: false, rstrip: false, normalized: false };
    for (const content of this.options.specialTokens ?? [])
      this.added.add({ ...alone, ...this.added.get(content), content, special: true });
  }

  private bounded<T>(way: 'encode' | 'decode', characters: number, work: () => T): T {
    return this.needsDeadline[way] ? withinTime(work, characters, this.name) : work();
  }

  encode(text: string, addSpecialTokens: boolean): number[] {
    const ids = this.bounded('encode', text.length, () => this.ids(text));
    return this.postProcessor ? this.postProcessor(ids, addSpecialTokens) : ids;
  }

  private ids(text: string): number[] {
    const ids: number[] = [];
    for (const found of this.added.find(text)) {
      if ('token' in found) ids.push(found.token.id);
      else
        for (const piece of this.preTokenizer ? this.preTokenizer([found]) : [found])
          if (piece.text !== '') for (const id of this.model.tokenize(piece.text)) ids.push(id);
    }
    return ids;
  }

  /** Returns the text of tokens; unknown IDs are left out. */
  decode(ids: readonly number[], skipSpecialTokens: boolean): string {
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.idToToken(id);
      if (token !== undefined && !(skipSpecialTokens && this.added.isSpecial(token))) tokens.push(token);
    }
    const { decoder } = this;
    const text = this.bounded('decode', tokens.length, () => (decoder ? decoder(tokens).join('') : tokens.join(' ')));
    return this.options.cleanUpSpaces && this.model.type !== 'BPE' ? cleanUp(text, false) : text;
  }

  tokenToId(token: string): number | undefined {
    return this.added.get(token)?.id ?? this.model.vocabulary.id(token);
  }

  idToToken(id: number): string | undefined {
    return this.added.token(id)?.written ?? this.model.vocabulary.token(id);
  }

  /** Number of tokens, added ones included. */
  get size(): number {
    return this.model.vocabulary.size + this.added.count;
  }
}
