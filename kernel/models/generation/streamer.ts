import { checkOptions, type OptionTable } from '../options';
import type { Tokenizer } from '../tokenizer/tokenizer';

/** Follows a generation: `put` gets the prompt's tokens, then each new token; `end` closes it. */
export interface Streamer {
  put(ids: readonly number[]): void;
  end(): void;
}

export interface TextStreamerOptions {
  /** Leave the prompt out; false by default, as in transformers. */
  skipPrompt?: boolean;
  /** Leave special tokens out; false by default. */
  skipSpecialTokens?: boolean;
  /** Where the text goes; standard output by default. */
  write?: (text: string) => void;
}

const table: OptionTable = {
  owner: 'TextStreamer',
  example: '{ skipPrompt: true }',
  names: { skipPrompt: true, skipSpecialTokens: true, write: true } satisfies Record<keyof TextStreamerOptions, true>,
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
    checkOptions(table, options);
  }

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

  end(): void {
    this.write(this.text().slice(this.printed) + '\n');
    this.reset();
    this.isPrompt = true;
  }

  private text(): string {
    return this.tokenizer.decode(this.pending, { skipSpecialTokens: this.options.skipSpecialTokens });
  }

  /** Forgets all but the last token: some tokenizers leave out a space where a text begins, and here none begins. */
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
