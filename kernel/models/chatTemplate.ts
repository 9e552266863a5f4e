import type { Template } from '@huggingface/jinja' with { 'resolution-mode': 'import' };
import { nameDistance } from '../nearest';
import { PYTHON_BUILTINS, usePythonBuiltins } from './pythonBuiltins';

/** A message of a conversation. What else it has, such as `tool_calls`, reaches the template under its own name. */
export interface ChatMessage {
  role: string;
  content: string;
  [field: string]: unknown;
}

export interface ChatTemplateOptions {
  /** Return token IDs (the default, as in transformers) or, with `false`, the text. */
  tokenize?: boolean;
  /** End with the words that start the model's answer. */
  addGenerationPrompt?: boolean;
  /** End within the last message, which the model is to continue. */
  continueFinalMessage?: boolean;
  /** JSON schemas of functions that the model may call. */
  tools?: readonly object[] | null;
  /** Documents that the answer is to be based on: `title` and `text` each. */
  documents?: readonly object[] | null;
  /** A template instead of the tokenizer's. */
  chatTemplate?: string | null;
  /** Any other variable of the template, such as `enableThinking` (which templates call `enable_thinking`). */
  [variable: string]: unknown;
}

/** Fields that a model's thoughts come in; templates read the first or the second. */
const REASONING = ['reasoning_content', 'thinking', 'reasoning'];

const compiled = new Map<string, Template>();

/** Writes a conversation by a Jinja template, with the variables that transformers gives to one. */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions,
  specialTokens: Record<string, string>,
): string {
  if (messages.length === 0) throw new Error('a conversation needs at least one message');
  const { tokenize: _, chatTemplate: __, addGenerationPrompt = false, continueFinalMessage = false, tools = null, documents = null, ...variables } = options;
  checkVariables(variables);
  if (continueFinalMessage && addGenerationPrompt) {
    throw new Error('continueFinalMessage and addGenerationPrompt exclude each other: the one continues the last message, the other starts a new one');
  }
  const conversation = messages.map(plainMessage);
  const last = conversation[conversation.length - 1];
  const final = last.content;
  if (continueFinalMessage) {
    if (typeof final !== 'string') throw new Error('continueFinalMessage needs a last message whose content is a text');
    last.content = final + CONTINUE;
  }
  const text = compile(template).render({
    ...specialTokens,
    ...snakeCase(variables),
    ...PYTHON_BUILTINS,
    messages: conversation,
    tools,
    documents,
    add_generation_prompt: addGenerationPrompt,
  });
  return continueFinalMessage ? cutAtMark(text, final as string) : text;
}

/** A misspelt option would be taken for a variable, of which templates may have any. */
function checkVariables(variables: object): void {
  for (const name of Object.keys(variables)) {
    const meant = ['addGenerationPrompt', 'continueFinalMessage', 'chatTemplate', 'tokenize'].find((option) => nameDistance(option, name) <= 2);
    if (meant) throw new TypeError(`applyChatTemplate has no option ${name}. Did you mean ${meant}?`);
  }
}

function compile(template: string): Template {
  let made = compiled.get(template);
  if (!made) {
    const { Template } = require('@huggingface/jinja') as { Template: typeof import('@huggingface/jinja', { with: { 'resolution-mode': 'import' } }).Template };
    made = new Template(withoutGenerationBlocks(template));
    made.parsed = usePythonBuiltins(made.parsed);
    compiled.set(template, made);
  }
  return made;
}

/** A template without transformers' own blocks, which only say what the assistant writes. Whitespace stays as with them. */
function withoutGenerationBlocks(template: string): string {
  return template.replace(/(\{%-?\s*)(end)?generation(\s*-?%\})/g, (_, before, end, after) => `${before}${end ? 'endif' : 'if true'}${after}`);
}

/** A copy without what is null, as templates expect it, a model's thoughts under the names that templates know. */
function plainMessage(message: ChatMessage): Record<string, unknown> {
  const fields = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null && value !== undefined));
  const thoughts = REASONING.map((name) => fields[name]).find((value) => value !== undefined);
  return thoughts === undefined ? fields : { thinking: thoughts, ...fields, reasoning_content: thoughts };
}

/** Variables under the names that templates use; those that have such a name already keep it. */
function snakeCase(variables: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]));
}

/** Shows where the last message ends; the space tells whether the template trims it. */
const CONTINUE = 'CONTINUE_FINAL_MESSAGE ';

function cutAtMark(text: string, final: string): string {
  const at = text.lastIndexOf(CONTINUE.trim());
  if (at < 0 || !text.includes(final.trim())) {
    throw new Error('continueFinalMessage: the template does not write the last message as it is, so it cannot be continued');
  }
  const before = text.slice(0, at);
  return text.startsWith(CONTINUE, at) ? before : before.trimEnd();
}
