import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile } from '../checkpoint/jsonFile';
import { because, flag, resolveSettings, type Declaration, type Given } from '../../common/settings';
import { readTextFile } from '../checkpoint/regularFile';
import { renderChat, type ChatMessage, type ChatTemplateOptions } from './chatTemplate';
import type { Rendered } from '../jinja';
import { TextTokenizer } from '../tokenizers';

export type { ChatMessage, ChatTemplateOptions };

/** A text as token IDs. */
export interface Encoding {
  inputIds: number[];
  /** 1 for every token: nothing is padded. */
  attentionMask: number[];
}

/** Several texts as token IDs; sequences keep their own lengths. */
export interface BatchEncoding {
  inputIds: number[][];
  attentionMask: number[][];
}

const encodeSettings = {
  /** Adds the tokenizer's start and end tokens. `true` by default, as in transformers. */
  addSpecialTokens: flag(true),
};

const decodeSettings = {
  /** Leaves out special tokens such as the end of the text. `false` by default, as in transformers. */
  skipSpecialTokens: flag(false),
};

export interface EncodeOptions extends Given<typeof encodeSettings> {}

export interface DecodeOptions extends Given<typeof decodeSettings> {}

/** The options of a tokenizer. */
export const encodeDeclaration: Declaration<typeof encodeSettings> = {
  owner: 'the tokenizer',
  noun: 'option',
  example: '{ addSpecialTokens: false }',
  settings: encodeSettings,
  elsewhere: {
    ...because('nothing is padded: sequences keep their own lengths', ['padding', 'paddingSide', 'padToMultipleOf']),
    ...because('nothing is cut: take the first IDs that it gives', ['truncation', 'maxLength']),
    ...because('token IDs are arrays of numbers', ['returnTensors', 'returnAttentionMask']),
  },
};

/** The options of `tokenizer.decode`. */
export const decodeDeclaration: Declaration<typeof decodeSettings> = {
  owner: 'decode',
  noun: 'option',
  example: '{ skipSpecialTokens: true }',
  settings: decodeSettings,
  elsewhere: because('spaces stay as they are', ['cleanUpTokenizationSpaces']),
};

/** Turns text into token IDs and back. `tokenizer(text)` returns what `model.generate` takes. */
export interface Tokenizer extends TokenizerMethods {
  (text: string, options?: EncodeOptions): Encoding;
  (texts: string[], options?: EncodeOptions): BatchEncoding;
}

/** Methods and properties of a {@link Tokenizer}. */
export class TokenizerMethods {
  /** Folder that the tokenizer was read from. */
  declare readonly folder: string;
  /** The token that ends a text, or null. */
  declare readonly eosToken: string | null;
  declare readonly eosTokenId: number | null;
  declare readonly bosToken: string | null;
  declare readonly bosTokenId: number | null;
  /** The padding token, or the end token where there is none. */
  declare readonly padToken: string | null;
  declare readonly padTokenId: number | null;
  /** Number of tokens, added ones included. */
  declare readonly vocabSize: number;
  /** The Jinja template of a conversation, or null. */
  declare readonly chatTemplate: string | null;

  /** @internal */
  declare private readonly tokens: TokenSource;
  /** @internal Special tokens by the names that templates use, `bos_token`. */
  declare private readonly specialTokens: Record<string, string>;
  /** @internal Templates besides {@link chatTemplate}, by name. */
  declare private readonly namedTemplates: Record<string, string>;

  /** Returns the token IDs of a text. */
  encode(text: string, options?: EncodeOptions): number[] {
    const { addSpecialTokens } = resolveSettings(encodeDeclaration, options);
    return this.tokens.encode(text, addSpecialTokens);
  }

  /** Returns the text of token IDs. */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    const { skipSpecialTokens } = resolveSettings(decodeDeclaration, options);
    return this.tokens.decode(Array.from(ids), skipSpecialTokens);
  }

  /** Returns the texts of several sequences. */
  batchDecode(sequences: readonly ArrayLike<number>[], options?: DecodeOptions): string[] {
    return sequences.map((ids) => this.decode(ids, options));
  }

  /** Returns the ID of a token; `undefined` where there is none. */
  tokenToId(token: string): number | undefined {
    return this.tokens.tokenToId(token);
  }

  /** Returns the token of an ID; `undefined` where there is none. */
  idToToken(id: number): string | undefined {
    return this.tokens.idToToken(id);
  }

  /**
   * Returns a conversation in the model's own format: token IDs, or text with
   * `tokenize: false`. See {@link ChatTemplateOptions}.
   *
   * @throws Error when the tokenizer has no chat template, or an option is wrong;
   *   TemplateError when the template fails
   */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatTemplateOptions & { tokenize: false }): string;
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatTemplateOptions & { tokenize?: true }): number[];
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string | number[];
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string | number[] {
    const { text } = this.renderChat(messages, options);
    // The template has written the special tokens.
    return options.tokenize === false ? text : this.encode(text, { addSpecialTokens: false });
  }

  /** @internal Returns the text of {@link applyChatTemplate}, and the parts of it that the template marks as the assistant's. */
  renderChat(messages: readonly ChatMessage[], options: ChatTemplateOptions): Rendered {
    const { chatTemplate, namedTemplates, folder, specialTokens } = this;
    // Some models have a template of their own for conversations with tools.
    const template = options.chatTemplate ?? (options.tools ? namedTemplates.tool_use : undefined) ?? chatTemplate;
    if (!template) {
      throw new Error(
        `the tokenizer in ${folder} has no chat template; encode the prompt as text instead: tokenizer(text), or give one: { chatTemplate }`,
      );
    }
    const name = options.chatTemplate ? 'the chat template that was given' : `the chat template of ${folder}`;
    return renderChat({ template, specialTokens, name }, messages, options);
  }
}

/** Encodes a text into tokens, and decodes tokens into a text. */
export type TokenSource = Pick<TextTokenizer, 'encode' | 'decode' | 'tokenToId' | 'idToToken' | 'size'>;

/** The parts of a tokenizer. */
export interface TokenizerParts {
  /** Folder that it was read from, for errors. */
  folder: string;
  tokens: TokenSource;
  /** Content of `tokenizer_config.json`. */
  settings: Record<string, unknown>;
  /** Chat templates by name, where they are not among the settings. */
  templates?: Record<string, string>;
}

/** Returns the tokenizer of a model folder: `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja`. */
export function loadTokenizer(folder: string): Tokenizer {
  const file = join(folder, 'tokenizer.json');
  if (!existsSync(file))
    throw new Error(`${folder} has no tokenizer.json; save the tokenizer there with transformers' save_pretrained`);
  const settings = readJson(join(folder, 'tokenizer_config.json'), {});
  const tokens = new TextTokenizer(readJson(file), file, {
    specialTokens: allSpecialTokens(settings),
    cleanUpSpaces: settings.clean_up_tokenization_spaces === true,
  });
  return makeTokenizer({ folder, tokens, settings, templates: readTemplates(folder, settings) });
}

/** Returns a tokenizer from its parts. */
export function makeTokenizer({
  folder,
  tokens,
  settings,
  templates = namedTemplates(settings),
}: TokenizerParts): Tokenizer {
  const tokenizer = ((text: string | string[], options?: EncodeOptions) => {
    if (typeof text === 'string') return encoding(methods.encode(text, options));
    const all = text.map((one) => encoding(methods.encode(one, options)));
    return { inputIds: all.map((one) => one.inputIds), attentionMask: all.map((one) => one.attentionMask) };
  }) as unknown as Tokenizer;
  const methods: TokenizerMethods = Object.setPrototypeOf(tokenizer, TokenizerMethods.prototype);

  const idOf = (token: string | null) => (token === null ? null : (tokens.tokenToId(token) ?? null));
  const eosToken = tokenText(settings.eos_token);
  const bosToken = tokenText(settings.bos_token);
  const padToken = tokenText(settings.pad_token) ?? eosToken;
  const hidden = { enumerable: false };
  Object.defineProperties(tokenizer, {
    folder: { value: folder, enumerable: true },
    eosToken: { value: eosToken, enumerable: true },
    eosTokenId: { value: idOf(eosToken), enumerable: true },
    bosToken: { value: bosToken, enumerable: true },
    bosTokenId: { value: idOf(bosToken), enumerable: true },
    padToken: { value: padToken, enumerable: true },
    padTokenId: { value: idOf(padToken), enumerable: true },
    vocabSize: { value: tokens.size, enumerable: true },
    chatTemplate: { value: templates.default ?? null, ...hidden },
    namedTemplates: { value: templates, ...hidden },
    specialTokens: { value: specialTokens(settings), ...hidden },
    tokens: { value: tokens, ...hidden },
  });
  return tokenizer;
}

function encoding(inputIds: number[]): Encoding {
  return { inputIds, attentionMask: inputIds.map(() => 1) };
}

/** Returns chat templates by name; the one without a name is `default`. */
function readTemplates(folder: string, settings: Record<string, unknown>): Record<string, string> {
  const file = join(folder, 'chat_template.jinja');
  return existsSync(file) ? { default: readTextFile(file, MAXIMUM_BYTES) } : namedTemplates(settings);
}

function namedTemplates(settings: Record<string, unknown>): Record<string, string> {
  const template = settings.chat_template;
  if (typeof template === 'string') return { default: template };
  const named = Array.isArray(template) ? (template as unknown[]) : [];
  return Object.fromEntries(named.filter(isNamedTemplate).map((one) => [one.name, one.template]));
}

function isNamedTemplate(value: unknown): value is { name: string; template: string } {
  const { name, template } = (value ?? {}) as { name?: unknown; template?: unknown };
  return typeof name === 'string' && typeof template === 'string';
}

/** Returns special tokens by their names, such as `bos_token`, as far as the tokenizer has them. */
function specialTokens(settings: Record<string, unknown>): Record<string, string> {
  const texts = Object.entries(settings).map(([name, value]): [string, string | null] => [
    name,
    name.endsWith('_token') ? tokenText(value) : null,
  ]);
  return Object.fromEntries(texts.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** The names of special tokens in the order in which transformers adds them. */
const NAMED = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

/** Returns all special tokens of the settings. */
function allSpecialTokens(settings: Record<string, unknown>): string[] {
  const extra = settings.extra_special_tokens ?? settings.additional_special_tokens;
  const more = typeof extra === 'object' && extra !== null ? Object.values(extra) : [];
  return [...NAMED.map((name) => settings[name]), ...more]
    .map(tokenText)
    .filter((token): token is string => token !== null);
}

/** Returns the text of a special token, which is a text or an object with the text in `content`; null for others. */
function tokenText(token: unknown): string | null {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : null;
}

/** Largest file in bytes; those of the largest vocabularies have some ten MB. */
const MAXIMUM_BYTES = 500e6;

function readJson(file: string, fallback?: Record<string, unknown>): Record<string, unknown> {
  return fallback && !existsSync(file) ? fallback : readJsonFile(file, MAXIMUM_BYTES);
}
