import { checked, checkSettings, flag, type Declaration, type Given } from '../../common/settings';
import type { Tokenizer } from '../tokenizer/tokenizer';
import type { Choice } from './sampling';

/** Receives a generation: `put` gets the prompt's tokens, then each new token; `end` is called at the end. */
export interface Streamer {
  /** @param choices of new tokens: their log-probabilities, as {@link Generation} has them */
  put(ids: readonly number[], choices?: readonly Choice[]): void;
  end(): void;
}

const settings = {
  /** Leaves the prompt out. `false` by default, as in transformers. */
  skipPrompt: flag(false),
  /** Leaves special tokens out. `false` by default. */
  skipSpecialTokens: flag(false),
  /** Receives the text. Writes to standard output by default. */
  write: checked<(text: string) => void>(undefined, 'a function', (v) => typeof v === 'function'),
};

export interface TextStreamerOptions extends Given<typeof settings> {}

/** The options of {@link TextStreamer}. */
export const streamerDeclaration: Declaration<typeof settings> = {
  owner: 'TextStreamer',
  noun: 'option',
  example: '{ skipPrompt: true }',
  settings,
};

/** Prints a completion while it is generated. */
export class TextStreamer implements Streamer {
  private pending: number[] = [];
  private printed = 0;
  private isPrompt = true;

  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly options: TextStreamerOptions = {},
  ) {
    checkSettings(streamerDeclaration, options);
  }

  /** Writes the text of more token ids as far as its characters are whole. The first ids after the start or after `end` are the prompt. */
  put(ids: readonly number[]): void {
    const prompt = this.isPrompt;
    this.isPrompt = false;
    if (prompt && this.options.skipPrompt) return;
    this.pending.push(...ids);
    const text = this.text();
    // A character may be several tokens: an incomplete one decodes to a replacement character.
    if (text.endsWith('\uFFFD')) return;
    this.write(text.slice(this.printed));
    this.printed = text.length;
    if (text.endsWith('\n')) this.shorten();
  }

  /** Writes the rest of the text and a line break. */
  end(): void {
    this.write(this.text().slice(this.printed) + '\n');
    this.reset();
    this.isPrompt = true;
  }

  private text(): string {
    return this.tokenizer.decode(this.pending, { skipSpecialTokens: this.options.skipSpecialTokens });
  }

  /** Drops all but the last token, which is kept because some tokenizers leave out a space at the beginning of a text. */
  private shorten(): void {
    this.pending = this.pending.slice(-1);
    this.printed = this.text().length;
  }

  private reset(): void {
    this.pending = [];
    this.printed = 0;
  }

  private write(text: string): void {
    if (text.length === 0) return;
    (this.options.write ?? ((piece: string) => process.stdout.write(piece)))(text);
  }
}
