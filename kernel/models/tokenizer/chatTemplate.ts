import { nameDistance } from '../../common/names';
import { RaisedByTemplate, Template, TemplateError, type Rendered } from '../jinja';

/** A message of a conversation. Other fields, such as `tool_calls`, reach the template under their own names. */
export interface ChatMessage {
  role: string;
  content: string;
  [field: string]: unknown;
}

export interface ChatTemplateOptions {
  /** Returns token IDs (the default, as in transformers) or, with `false`, the text. */
  tokenize?: boolean;
  /** Ends with the text that starts the model's answer. `false` by default. */
  addGenerationPrompt?: boolean;
  /** Ends within the last message, which the model continues. `false` by default. */
  continueFinalMessage?: boolean;
  /** JSON Schemas of functions that the model may call. */
  tools?: readonly object[] | null;
  /** Documents that the answer is based on: `title` and `text` each. */
  documents?: readonly object[] | null;
  /** A template instead of the tokenizer's. */
  chatTemplate?: string | null;
  /** Any other variable of the template, such as `enableThinking` (which templates call `enable_thinking`). */
  [variable: string]: unknown;
}

/** Fields with a model's reasoning; templates read the first or the second. */
const REASONING = ['reasoning_content', 'thinking', 'reasoning'];

/** Templates that were compiled last. */
const compiled = new Map<string, Template>();
const KEPT = 16;

/** A chat template, the special tokens that it may name, and its name in errors. */
export interface ChatTemplate {
  template: string;
  specialTokens: Record<string, string>;
  /** `the chat template of FOLDER` */
  name: string;
}

/**
 * Renders a conversation by a Jinja template, with the variables that transformers
 * gives to one. Throws when there is no message, an option is wrong, or the template
 * fails.
 */
export function renderChat(
  chat: ChatTemplate,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions,
): Rendered {
  if (messages.length === 0) throw new Error('a conversation needs at least one message');
  const {
    tokenize: _,
    chatTemplate: __,
    addGenerationPrompt = false,
    continueFinalMessage = false,
    tools = null,
    documents = null,
    ...variables
  } = options;
  checkVariables(variables);
  if (continueFinalMessage && addGenerationPrompt) {
    throw new Error(
      'continueFinalMessage and addGenerationPrompt exclude each other: the one continues the last message, the other starts a new one',
    );
  }
  const conversation = messages.map(plainMessage);
  const last = conversation[conversation.length - 1];
  const final = last.content;
  if (continueFinalMessage) {
    if (typeof final !== 'string') throw new Error('continueFinalMessage needs a last message whose content is a text');
    last.content = final + CONTINUE;
  }
  const rendered = render(chat, {
    ...chat.specialTokens,
    ...snakeCase(variables),
    messages: conversation,
    tools,
    documents,
    add_generation_prompt: addGenerationPrompt,
  });
  return continueFinalMessage ? { ...rendered, text: cutAtMark(rendered.text, final as string) } : rendered;
}

function render({ template, name }: ChatTemplate, variables: Record<string, unknown>): Rendered {
  try {
    return compile(template).render(variables);
  } catch (error) {
    // What a template says itself needs no more words.
    if (error instanceof TemplateError && !(error instanceof RaisedByTemplate))
      error.message = `${name}: ${error.message}`;
    throw error;
  }
}

/** Throws a TypeError for a misspelt option, which would be taken for a variable of the template. */
function checkVariables(variables: object): void {
  for (const name of Object.keys(variables)) {
    const meant = ['addGenerationPrompt', 'continueFinalMessage', 'chatTemplate', 'tokenize'].find(
      (option) => nameDistance(option, name) <= 2,
    );
    if (meant) throw new TypeError(`applyChatTemplate has no option ${name}. Did you mean ${meant}?`);
  }
}

function compile(template: string): Template {
  const known = compiled.get(template) ?? new Template(template);
  compiled.delete(template);
  compiled.set(template, known);
  if (compiled.size > KEPT) compiled.delete(compiled.keys().next().value!);
  return known;
}

/**
 * Returns a copy of a message without null fields, as templates expect it, and with a
 * model's reasoning under the names that templates know.
 */
function plainMessage(message: ChatMessage): Record<string, unknown> {
  const fields = Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== null && value !== undefined),
  );
  const thoughts = REASONING.map((name) => fields[name]).find((value) => value !== undefined);
  return thoughts === undefined ? fields : { thinking: thoughts, ...fields, reasoning_content: thoughts };
}

/** Returns variables with their names in snake_case, as templates use them. */
function snakeCase(variables: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

/** Mark of the end of the last message; its space shows whether the template trims it. */
const CONTINUE = 'CONTINUE_FINAL_MESSAGE ';

function cutAtMark(text: string, final: string): string {
  const at = text.lastIndexOf(CONTINUE.trim());
  if (at < 0 || !text.includes(final.trim())) {
    throw new Error(
      'continueFinalMessage: the template does not write the last message as it is, so it cannot be continued',
    );
  }
  const before = text.slice(0, at);
  return text.startsWith(CONTINUE, at) ? before : before.trimEnd();
}
