import { assistantTokens } from '../models/tokenizer/assistantTokens';
import type { ChatMessage, Tokenizer } from '../models/tokenizer/tokenizer';
import type { ResolvedSFTConfig } from './config';

/**
 * A row of a data set for supervised training, in one of the forms that TRL
 * knows; other columns are ignored.
 *
 * - `{ text }`: all of it is learned (the column's name is the setting `datasetTextField`)
 * - `{ prompt, completion }`: texts, or messages; the completion is learned
 * - `{ messages }`: a conversation, written by the chat template
 * - `{ inputIds, labels }`: tokens; those with the label −100 are not learned
 */
export interface SFTRow {
  text?: string;
  prompt?: string | ChatMessage[];
  completion?: string | ChatMessage[];
  messages?: ChatMessage[];
  inputIds?: number[];
  /** One for each of `inputIds`: the same token, or −100 where it is not learned. By default all tokens are learned. */
  labels?: number[];
  /** JSON Schemas of functions that the model may call, for the chat template, or their JSON text. */
  tools?: object[] | string | null;
  /** Other variables of the chat template. */
  chatTemplateKwargs?: Record<string, unknown>;
  [column: string]: unknown;
}

/** A tokenized row. */
export interface Example {
  ids: number[];
  /** True for tokens that are learned. The first is never learned, whatever it says: nothing predicts it. */
  learned: boolean[];
}

/** Settings that say how rows become tokens. */
export type ExampleSettings = Pick<
  ResolvedSFTConfig,
  'datasetTextField' | 'eosToken' | 'completionOnlyLoss' | 'assistantOnlyLoss'
>;

/**
 * Tokenizes a row as TRL does.
 *
 * @throws TypeError that names the row and what is wrong with it
 */
export function tokenizeRow(
  row: SFTRow,
  index: number,
  tokenizer: Tokenizer,
  settings: ExampleSettings,
  formattingFunc?: (row: SFTRow) => string,
): Example {
  const where = `Row ${index} of the data set`;
  if (row === null || typeof row !== 'object') throw new TypeError(`${where} is no object. ${forms(settings)}`);
  if (row.inputIds) return given(row, where);
  const { datasetTextField, completionOnlyLoss } = settings;
  const text = formattingFunc ? formattingFunc(row) : row[datasetTextField];
  const isPair = !formattingFunc && row.prompt !== undefined;
  if (completionOnlyLoss && !isPair)
    throw new TypeError(
      `${where} has no prompt and completion, which completionOnlyLoss needs. Leave the setting out, or give rows { prompt, completion }.`,
    );
  if (isPair) return promptAndCompletion(row, where, tokenizer, settings);
  if (!formattingFunc && row.messages !== undefined)
    return conversation(messagesOf(row.messages, `${where}: messages`), row, where, tokenizer, settings);
  if (settings.assistantOnlyLoss)
    throw new TypeError(
      `${where} is no conversation, which assistantOnlyLoss needs. Leave the setting out, or give rows { messages }.`,
    );
  if (typeof text !== 'string')
    throw new TypeError(`${where} has the columns ${Object.keys(row).join(', ') || '(none)'}. ${forms(settings)}`);
  return all(tokenizer.encode(ended(text, tokenizer, settings)));
}

function forms({ datasetTextField }: ExampleSettings): string {
  return `Valid rows are { ${datasetTextField} }, { prompt, completion }, { messages } and { inputIds, labels }.`;
}

function given({ inputIds, labels = inputIds }: SFTRow, where: string): Example {
  if (labels!.length !== inputIds!.length)
    throw new TypeError(`${where} has ${labels!.length} labels for ${inputIds!.length} inputIds.`);
  return { ids: [...inputIds!], learned: labels!.map((label) => label !== -100) };
}

function promptAndCompletion(row: SFTRow, where: string, tokenizer: Tokenizer, settings: ExampleSettings): Example {
  const { prompt, completion } = row;
  if (typeof prompt === 'string' && typeof completion === 'string') {
    if (settings.assistantOnlyLoss)
      throw new TypeError(
        `${where} is no conversation, which assistantOnlyLoss needs. Leave the setting out, or give prompt and completion as messages.`,
      );
    const example = all(tokenizer.encode(prompt + ended(completion, tokenizer, settings)));
    return completionOnly(example, tokenizer.encode(prompt), settings);
  }
  if (!Array.isArray(prompt) || !Array.isArray(completion)) {
    throw new TypeError(
      `${where}: prompt is ${kind(prompt)} and completion is ${kind(completion)}. Both must be texts, or both messages { role, content }.`,
    );
  }
  const before = messagesOf(prompt, `${where}: prompt`);
  const example = conversation(
    [...before, ...messagesOf(completion, `${where}: completion`)],
    row,
    where,
    tokenizer,
    settings,
  );
  return completionOnly(
    example,
    tokenizer.applyChatTemplate(before, { ...templateVariables(row), addGenerationPrompt: true }),
    settings,
  );
}

/**
 * Returns the example with only the completion learned, from the first token that
 * differs from the prompt's: tokens may merge across that border.
 */
function completionOnly(
  { ids, learned }: Example,
  promptIds: number[],
  { completionOnlyLoss }: ExampleSettings,
): Example {
  if (completionOnlyLoss === false) return { ids, learned };
  const differs = promptIds.findIndex((id, i) => id !== ids[i]);
  const start = differs < 0 ? promptIds.length : differs;
  return { ids, learned: learned.map((value, i) => value && i >= start) };
}

function conversation(
  messages: ChatMessage[],
  row: SFTRow,
  where: string,
  tokenizer: Tokenizer,
  { assistantOnlyLoss }: ExampleSettings,
): Example {
  const variables = templateVariables(row);
  if (!assistantOnlyLoss) return all(tokenizer.applyChatTemplate(messages, variables));
  const { inputIds, assistantMasks } = assistantTokens(tokenizer, messages, variables);
  if (!assistantMasks.includes(1))
    throw new TypeError(
      `${where} has no token of the assistant. assistantOnlyLoss needs a message with the role assistant in each row.`,
    );
  return { ids: inputIds, learned: assistantMasks.map((value) => value === 1) };
}

function templateVariables({ tools, chatTemplateKwargs = {} }: SFTRow): Record<string, unknown> {
  return { tools: typeof tools === 'string' ? JSON.parse(tools) : tools, ...chatTemplateKwargs };
}

function messagesOf(value: unknown, what: string): ChatMessage[] {
  const valid = Array.isArray(value) && value.length > 0 && value.every((message) => typeof message?.role === 'string');
  if (!valid) throw new TypeError(`${what} must be a list of messages { role, content }, and not be empty.`);
  return value as ChatMessage[];
}

function kind(value: unknown): string {
  if (value === undefined) return 'missing';
  return Array.isArray(value) ? 'a list' : typeof value === 'string' ? 'a text' : String(value);
}

function ended(text: string, tokenizer: Tokenizer, settings: ExampleSettings): string {
  const end = settings.eosToken ?? tokenizer.eosToken ?? '';
  return text.endsWith(end) ? text : text + end;
}

function all(ids: number[]): Example {
  return { ids, learned: ids.map(() => true) };
}
