import { setTimeout as pause } from 'node:timers/promises';
import {
  nullable,
  number,
  record,
  resolveSettings,
  text,
  whole,
  type Declaration,
  type Given,
  type Resolved,
} from '../common/settings';
import { cellContext } from '../display/cellContext';
import type { ChatMessage } from '../models';
import { keyOfEnvironment } from './apiKey';
import { ChatModelError } from './errors';
import { exchange, type Retryable } from './exchange';

const samplingSettings = {
  /** Logits are divided by it; 0 takes the most likely token. As who asks says by default: 1 in a benchmark. */
  temperature: number(undefined, { from: 0, to: 2 }),
  /** Nucleus sampling: the most likely tokens of this total probability. As who asks says by default: 1 in a benchmark. */
  topP: number(undefined, { above: 0, to: 1 }),
  /** Largest number of tokens of an answer; those of a model that thinks count, too. As who asks says by default. */
  maxTokens: whole(undefined, { from: 1 }),
};

const addressSettings = {
  /** The address of the server, with OpenAI's path: 'http://127.0.0.1:8001/v1'. */
  baseUrl: text(undefined, "an address, such as 'http://127.0.0.1:8001/v1'"),
  /** The model's name there. */
  model: text(undefined, "a model's name there, such as 'openai/gpt-oss-120b'"),
  /** Environment variable with the key. The key itself is given nowhere, and kept nowhere. `null` by default: none is sent. */
  apiKeyEnv: nullable(text(null, "the name of an environment variable, such as 'OPENAI_API_KEY'")),
  /** A first message that says what the model is to be. `null` by default: none. */
  systemPrompt: nullable(text(null, 'a text')),
  /** More fields of each request, by their names there, such as `{ reasoning_effort: 'low' }`. `null` by default: none. */
  extraBody: record<Record<string, unknown>>("fields, such as { reasoning_effort: 'low' }"),
};

const limitSettings = {
  /** Seconds until an answer must be there. 120 by default. */
  timeout: number(120, { above: 0, to: 24 * 3600, note: 'seconds' }),
  /** Tries after the first where a server is busy (429), fails, breaks off or does not answer: after half a second, then twice as long each time, or when it says (Retry-After). 5 by default. */
  maxRetries: whole(5, { from: 0 }),
  /** Requests at a time. 4 by default. */
  concurrency: whole(4, { from: 1, to: 256 }),
  /** Budget: no request is made once this many tokens, of prompts and answers, are used. None by default. */
  maxTotalTokens: whole(undefined, { from: 1 }),
  /** Budget: no request is made once this many seconds have been waited for answers. None by default. */
  maxTotalSeconds: number(undefined, { above: 0, note: 'seconds' }),
};

const settings = { ...addressSettings, ...samplingSettings, ...limitSettings };

/** Options of {@link chatModel}. */
export interface ChatModelOptions
  extends Required<Pick<Given<typeof addressSettings>, 'baseUrl' | 'model'>>,
    Omit<Given<typeof addressSettings>, 'baseUrl' | 'model'>,
    Given<typeof samplingSettings>,
    Given<typeof limitSettings> {}

/** The options of `chatModel`. */
export const chatModelDeclaration: Declaration<typeof settings> = {
  owner: 'chatModel',
  noun: 'option',
  example: "{ baseUrl: 'http://127.0.0.1:8001/v1', model: 'strategist' }",
  settings,
  elsewhere: {
    apiKey: 'a key in a notebook is shared with it; put it into an environment variable, and name that: apiKeyEnv',
    baseURL: 'it is called baseUrl',
    maxCompletionTokens: 'it is called maxTokens',
    maxNewTokens: 'it is called maxTokens',
    seed: 'who asks gives one with each request',
    n: 'each completion is a request of its own, with a seed of its own',
  },
};

/** Settings of one request. Those of the model itself come first. */
export interface CompleteOptions extends Given<typeof samplingSettings> {
  /** The same seed gives the same answer, where the server honours it. */
  seed?: number;
  /** The answer ends before one of these texts. */
  stop?: string[];
  signal?: AbortSignal;
}

/** An answer, and what it took. */
export interface ChatCompletion {
  text: string;
  /** Why it ended: 'stop', 'length' … as the server says. */
  finishReason: string | null;
  /** 0 where the server does not tell. */
  promptTokens: number;
  completionTokens: number;
  /** Seconds of the request that was answered. */
  seconds: number;
}

/** What requests have taken so far. */
export interface ChatUsage {
  /** Answers. */
  completions: number;
  promptTokens: number;
  completionTokens: number;
  /** Seconds that answers took, one after another. */
  seconds: number;
  /** Tries after the first. */
  retries: number;
}

/** Seconds before the second try, and the longest wait. */
const FIRST_WAIT = 0.5;
const LONGEST_WAIT = 60;

/** A model behind an OpenAI-compatible address: vLLM, SGLang, llama.cpp, Ollama, OpenAI, `joylab serve-model` … */
export class ChatModel {
  readonly baseUrl: string;
  readonly model: string;
  /** What its requests have taken so far. */
  readonly usage: ChatUsage = { completions: 0, promptTokens: 0, completionTokens: 0, seconds: 0, retries: 0 };
  /** Its options, with their defaults. */
  readonly options: Readonly<Resolved<typeof settings>>;
  /** The name of the limit of tokens: newer models of OpenAI have another. */
  private limitName: 'max_tokens' | 'max_completion_tokens' = 'max_tokens';

  /** @internal */
  constructor(given: ChatModelOptions) {
    this.options = resolveSettings(chatModelDeclaration, given);
    const { baseUrl, model, apiKeyEnv } = this.options;
    if (!model) throw new TypeError("chatModel: model must be a model's name there, such as 'openai/gpt-oss-120b'.");
    this.baseUrl = checkedAddress(baseUrl);
    this.model = model;
    // A missing key is told before anything plays.
    if (apiKeyEnv !== null) keyOfEnvironment(apiKeyEnv);
  }

  /**
   * Returns an answer to messages. Tries again, with growing waits, where that may help.
   *
   * @throws ChatModelError in one line; the signal's reason when aborted
   */
  async complete(messages: readonly ChatMessage[], options: CompleteOptions = {}): Promise<ChatCompletion> {
    const { signal = cellContext().signal } = options;
    for (let tries = 0; ; tries++) {
      this.checkBudget();
      const started = performance.now();
      const outcome = await this.ask(messages, { ...options, signal });
      const seconds = (performance.now() - started) / 1000;
      if ('json' in outcome) return this.counted(readCompletion(outcome.json, this.url), seconds);
      this.usage.seconds += seconds;
      const { error } = outcome;
      if (tries >= this.options.maxRetries) throw afterTries(error, tries);
      this.usage.retries++;
      await pause(1000 * waitOf(tries, outcome), undefined, { signal }).catch((aborted) => {
        throw signal.reason ?? aborted;
      });
    }
  }

  /** Returns one line: the model and its address. */
  toString(): string {
    return `ChatModel(${this.model} at ${this.baseUrl})`;
  }

  /** @internal Returns what a cell that ends with the model shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  private get url(): string {
    return `${this.baseUrl}/chat/completions`;
  }

  private async ask(messages: readonly ChatMessage[], options: CompleteOptions): Promise<{ json: any } | Retryable> {
    const { timeout, apiKeyEnv: keyVariable } = this.options;
    const key = keyVariable === null ? null : keyOfEnvironment(keyVariable);
    const { signal } = options;
    const send = () =>
      exchange({ url: this.url, body: this.body(messages, options), key, keyVariable, timeout, signal });
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ChatModelError)) throw error;
      if (this.limitName === 'max_tokens' && /max_completion_tokens/.test(error.message)) {
        this.limitName = 'max_completion_tokens';
        return send();
      }
      if (error.code === 'NOT_FOUND') throw await this.notFound(error, { key, keyVariable, timeout, signal });
      throw error;
    }
  }

  private body(messages: readonly ChatMessage[], options: CompleteOptions): object {
    const { systemPrompt, extraBody, ...own } = this.options;
    const temperature = own.temperature ?? options.temperature;
    const topP = own.topP ?? options.topP;
    const maxTokens = own.maxTokens ?? options.maxTokens;
    const { seed, stop } = options;
    return {
      model: this.model,
      messages: systemPrompt === null ? messages : [{ role: 'system', content: systemPrompt }, ...messages],
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && topP < 1 && { top_p: topP }),
      ...(maxTokens !== undefined && { [this.limitName]: maxTokens }),
      ...(seed !== undefined && { seed }),
      ...(stop && stop.length > 0 && { stop }),
      ...extraBody,
    };
  }

  /** Returns the error for a 404, with the models that are there, where the server lists them. */
  private async notFound(
    error: ChatModelError,
    rest: { key: string | null; keyVariable: string | null; timeout: number; signal?: AbortSignal },
  ): Promise<ChatModelError> {
    const listed = await exchange({ ...rest, url: `${this.baseUrl}/models` }).catch(() => null);
    const models: unknown[] = listed && 'json' in listed && Array.isArray(listed.json?.data) ? listed.json.data : [];
    const names = models.map((one) => (one as { id?: unknown } | null)?.id).filter((id) => typeof id === 'string');
    if (names.length === 0 || names.includes(this.model)) return error;
    const more = names.length > 10 ? ` and ${names.length - 10} more` : '';
    return new ChatModelError(
      'NOT_FOUND',
      `${this.baseUrl} has no model ${this.model}. It has: ${names.slice(0, 10).join(', ')}${more}.`,
      error.status,
    );
  }

  /** Throws where the budget is used up. */
  private checkBudget(): void {
    const { maxTotalTokens = Infinity, maxTotalSeconds = Infinity } = this.options;
    const { promptTokens, completionTokens, seconds } = this.usage;
    const used = (what: string) => new ChatModelError('BUDGET', `The budget of ${what} for ${this.model} is used up.`);
    if (promptTokens + completionTokens >= maxTotalTokens)
      throw used(`${maxTotalTokens.toLocaleString('en-US')} tokens`);
    if (seconds >= maxTotalSeconds) throw used(`${maxTotalSeconds.toLocaleString('en-US')} s`);
  }

  private counted(answer: Omit<ChatCompletion, 'seconds'>, seconds: number): ChatCompletion {
    this.usage.completions++;
    this.usage.promptTokens += answer.promptTokens;
    this.usage.completionTokens += answer.completionTokens;
    this.usage.seconds += seconds;
    return { ...answer, seconds };
  }
}

/**
 * Returns a model behind an OpenAI-compatible address, as a policy of `benchmark`.
 *
 * ```ts
 * const gpt = chatModel({ baseUrl: 'https://api.example/v1', model: 'gpt-oss-120b', apiKeyEnv: 'EXAMPLE_KEY' });
 * ```
 *
 * #### Notes
 * The key is read from the environment variable with each request, and is in no
 * message, no output and no file.
 *
 * @throws TypeError where an option is wrong; Error where the variable is not set
 */
export function chatModel(options: ChatModelOptions): ChatModel {
  return new ChatModel(options);
}

function checkedAddress(baseUrl: string | undefined): string {
  const address = String(baseUrl ?? '')
    .replace(/\/+$/, '')
    .replace(/\/chat\/completions$/, '');
  if (!/^https?:\/\//.test(address) || !URL.canParse(address))
    throw new TypeError(
      `chatModel: baseUrl must be an address with http:// or https://, such as 'http://127.0.0.1:8001/v1', not ${JSON.stringify(baseUrl)}.`,
    );
  const { username, password, search, hash } = new URL(address);
  if (username || password)
    throw new TypeError(
      'chatModel: baseUrl has a name or a password: put the key into an environment variable, and name that: apiKeyEnv.',
    );
  if (search || hash) throw new TypeError('chatModel: baseUrl is an address without ? and #.');
  return address;
}

/** Returns an answer of a server. Throws a ChatModelError where it is none. */
function readCompletion(json: any, url: string): Omit<ChatCompletion, 'seconds'> {
  const choice = json?.choices?.[0];
  const content = choice?.message?.content ?? (choice?.message ? '' : undefined);
  if (typeof content !== 'string')
    throw new ChatModelError(
      'PROTOCOL_ERROR',
      `${url} answered with JSON that is no chat completion: ${JSON.stringify(json)?.slice(0, 100)}.`,
    );
  const count = (value: unknown) => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0);
  return {
    text: content,
    finishReason: typeof choice.finish_reason === 'string' ? choice.finish_reason : null,
    promptTokens: count(json.usage?.prompt_tokens),
    completionTokens: count(json.usage?.completion_tokens),
  };
}

/** Returns the seconds before the next try. A fifth of it is by chance, so that several do not come together again. */
function waitOf(tries: number, { after }: Retryable): number {
  const wait = after ?? Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** tries);
  return Math.min(LONGEST_WAIT, wait * (1 + Math.random() / 5));
}

function afterTries(error: ChatModelError, tries: number): ChatModelError {
  if (tries === 0) return error;
  const message = `${error.message.replace(/\.$/, '')}, after ${tries + 1} tries.`;
  return new ChatModelError(error.code, message, error.status);
}
