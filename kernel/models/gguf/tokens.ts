import { isObject } from '../checkpoint/jsonFile';
import { makeTokenizer, type TokenSource, type Tokenizer } from '../tokenizer/tokenizer';
import { TextTokenizer } from '../tokenizers';
import type { LlamaModel } from './llama';
import type { Metadata } from './metadata';
import { tokenizerSettings } from './tokenizerFiles';
import { WHOLE_TOKENIZER } from './vocabulary';

/** Returns the tokenizer of a GGUF model: the tokenizer.json that the file holds, else llama.cpp's own rules. */
export function ggufTokenizer(metadata: Metadata, model: LlamaModel, path: string): Tokenizer {
  const settings = tokenizerSettings(metadata);
  const tokens = metadata.has(WHOLE_TOKENIZER)
    ? new TextTokenizer(wholeTokenizer(metadata.text(WHOLE_TOKENIZER), path), `${WHOLE_TOKENIZER} of ${path}`)
    : new LlamaTokens(model, metadata.texts('tokenizer.ggml.tokens'));
  return makeTokenizer({ folder: path, tokens, settings });
}

function wholeTokenizer(text: string, path: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // The same as another kind of value.
  }
  throw new Error(`${path}: ${WHOLE_TOKENIZER} is not a JSON object; fetch the file again`);
}

/** Encodes and decodes text by llama.cpp. */
class LlamaTokens implements TokenSource {
  private readonly ids: ReadonlyMap<string, number>;

  constructor(
    private readonly model: LlamaModel,
    private readonly tokens: readonly string[],
  ) {
    this.ids = new Map(tokens.map((token, id) => [token, id]));
  }

  encode(text: string, addSpecialTokens: boolean): number[] {
    const ids = this.model.tokenize(text, true);
    const { shouldPrependBosToken, bos } = this.model.tokens;
    return addSpecialTokens && shouldPrependBosToken && bos !== null ? [bos, ...ids] : ids;
  }

  decode(ids: readonly number[], skipSpecialTokens: boolean): string {
    const known = ids.filter((id) => id >= 0 && id < this.tokens.length);
    const kept = skipSpecialTokens ? known.filter((id) => !this.model.isSpecialToken(id)) : known;
    return this.model.detokenize(kept, true);
  }

  tokenToId(token: string): number | undefined {
    return this.ids.get(token);
  }

  idToToken(id: number): string | undefined {
    return this.tokens[id];
  }

  get size(): number {
    return this.tokens.length;
  }
}
