import type { ChatMessage, Tokenizer } from './tokenizer';

/** A conversation as tokens, with those of the assistant marked. */
export interface AssistantTokens {
  inputIds: number[];
  /** 1 for tokens of the assistant: those of the template's `{% generation %}` blocks. */
  assistantMasks: number[];
}

/**
 * Tokenizes a conversation and marks the assistant's tokens, as transformers'
 * `return_assistant_tokens_mask`.
 *
 * @throws Error when the template has no `{% generation %}` blocks, or the tokenizer
 *   changes the text
 */
export function assistantTokens(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  variables: Record<string, unknown> = {},
): AssistantTokens {
  const template = tokenizer.chatTemplate;
  if (template && !/\{%-?\s*generation\s*-?%\}/.test(template)) {
    throw new Error(
      `the chat template of ${tokenizer.folder} does not mark what the assistant writes; put {% generation %} and {% endgeneration %} around ` +
        "the assistant's content in its chat template (end-of-turn token included), or train with assistantOnlyLoss: false",
    );
  }
  const { text, generations } = tokenizer.renderChat(messages, variables);
  const inputIds = tokenizer.encode(text, { addSpecialTokens: false });
  const assistantMasks = new Array<number>(inputIds.length).fill(0);
  const tokenAt = tokenFinder(tokenizer, inputIds, text);
  for (const [start, end] of generations) if (end > start) assistantMasks.fill(1, tokenAt(start), tokenAt(end - 1) + 1);
  return { inputIds, assistantMasks };
}

/**
 * Returns a function from the index of a character to that of its token (the first,
 * where it is split among several). Throws when the tokenizer changes the text.
 */
function tokenFinder(tokenizer: Tokenizer, ids: readonly number[], text: string): (character: number) => number {
  // Tokenizers that write a space before the text add it to all decoded texts alike.
  const extra = tokenizer.decode(ids).length - text.length;
  if (!tokenizer.decode(ids).endsWith(text))
    throw new Error(
      `the tokenizer in ${tokenizer.folder} changes the text of a conversation, so that its parts cannot be found again; train with assistantOnlyLoss: false`,
    );
  const end = (token: number) => tokenizer.decode(ids.slice(0, token + 1)).length - extra;
  return (character) => {
    let [low, high] = [0, ids.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (end(middle) > character) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
