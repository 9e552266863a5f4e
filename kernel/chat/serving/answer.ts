import type { CausalLM } from '../../models';
import type { Choice } from '../../models/generation/sampling';
import type { ApiLogprob, ApiLogprobs, ApiUsage, FinishReason } from './protocol';
import type { ChatRequest } from './request';

/** A generated completion. */
export interface Generated {
  ids: number[];
  choices: Choice[];
  terminated: boolean;
}

/** What an answer says: one choice of it. */
export interface AnswerChoice {
  text: string;
  logprobs: ApiLogprobs | null;
  finishReason: FinishReason;
}

/** Turns tokens into what a request asks for. */
export class AnswerWriter {
  private readonly ends: ReadonlySet<number>;

  constructor(
    private readonly model: CausalLM,
    private readonly request: ChatRequest,
  ) {
    this.ends = new Set(model.eosTokenIds);
  }

  choice({ ids, choices, terminated }: Generated): AnswerChoice {
    return {
      text: this.cut(this.text(ids)).text,
      logprobs: this.request.logprobs ? this.logprobs(choices) : null,
      finishReason: terminated ? 'stop' : 'length',
    };
  }

  /** Returns the text of tokens, without special ones. */
  text(ids: readonly number[]): string {
    return this.model.tokenizer.decode([...ids], { skipSpecialTokens: true });
  }

  /** Returns a text up to the first of the request's `stop` in it. */
  cut(text: string): { text: string; stopped: boolean } {
    const ends = this.request.stop.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    return ends.length > 0 ? { text: text.slice(0, Math.min(...ends)), stopped: true } : { text, stopped: false };
  }

  /** Returns the log-probabilities of tokens; the end is no part of the text. */
  logprobs(choices: readonly Choice[]): ApiLogprobs {
    const content = choices
      .filter(({ token }) => !this.ends.has(token))
      .map((choice) => ({ ...this.logprob(choice), top_logprobs: (choice.top ?? []).map((one) => this.logprob(one)) }));
    return { content, refusal: null };
  }

  private logprob({ token, logprob }: Choice): ApiLogprob {
    const text = this.model.tokenizer.decode([token]);
    // OpenAI's clients want a number: −9999 stands for a probability of 0 there, too.
    const finite = Number.isFinite(logprob) ? Math.fround(logprob) : -9999;
    return { token: text, logprob: finite, bytes: text.includes('\uFFFD') ? null : [...Buffer.from(text)] };
  }
}

export function usageOf(promptTokens: number, completions: readonly Generated[]): ApiUsage {
  const completionTokens = completions.reduce((sum, { ids }) => sum + ids.length, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
