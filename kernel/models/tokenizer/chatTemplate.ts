import { nameDistance } from '../../common/names';
import { RaisedByTemplate, Template, TemplateError, type Rendered } from '../jinja';

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

/** A template is used for one prompt after the other; few others come between. */
const compiled = new Map<string, Template>();
const KEPT = 16;

/** A chat template, the tokens that it may name, and how to speak of it in messages. */
export interface ChatTemplate {
  template: string;
  specialTokens: Record<string, string>;
  /** `the chat template of FOLDER` */
  name: string;
}

/**
 * Writes a conversation by a Jinja template, with the variables that
 * transformers gives to one.
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

/** A misspelt option would be taken for a variable, of which templates may have any. */
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

/** A copy without what is null, as templates expect it, a model's thoughts under the names that templates know. */
function plainMessage(message: ChatMessage): Record<string, unknown> {
  const fields = Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== null && value !== undefined),
  );
  const thoughts = REASONING.map((name) => fields[name]).find((value) => value !== undefined);
  return thoughts === undefined ? fields : { thinking: thoughts, ...fields, reasoning_content: thoughts };
}

/** Variables under the names that templates use; those that have such a name already keep it. */
function snakeCase(variables: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

/** Shows where the last message ends; the space shows whether the template trims it. */
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
