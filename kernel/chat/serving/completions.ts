import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { progressAt } from '../../display/progress/progress';
import type { CausalLM, GenerateOptions } from '../../models';
import { AnswerWriter, usageOf, type Generated } from './answer';
import { ApiError } from './protocol';
import type { ChatRequest } from './request';
import { EventWriter, PieceStreamer, type Piece } from './stream';
import type { Turns } from './turns';

/** What completions are made with. */
export interface CompletionContext {
  model: CausalLM;
  /** The name by which clients ask for the model. */
  name: string;
  turns: Turns;
}

/** Nothing of a request is shown under a cell. */
const nowhere = { delay: Infinity, show() {} };

/** Resolves to the answer of a request that does not stream. */
export async function completionBody(
  request: ChatRequest,
  context: CompletionContext,
  signal: AbortSignal,
): Promise<object> {
  const promptIds = promptOf(request, context);
  const completions = await generated(promptIds, request, context, { signal });
  const answer = new AnswerWriter(context.model, request);
  return {
    ...head('chat.completion', context),
    choices: completions.map((completion, index) => {
      const { text, logprobs, finishReason } = answer.choice(completion);
      const message = { role: 'assistant', content: text, refusal: null };
      return { index, message, logprobs, finish_reason: finishReason };
    }),
    usage: usageOf(promptIds.length, completions),
  };
}

/**
 * Sends the answer of a request in pieces. Of one choice they come as it is generated;
 * several choices are generated together, and come afterwards.
 */
export async function streamCompletion(
  request: ChatRequest,
  context: CompletionContext,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const promptIds = promptOf(request, context);
  const answer = new AnswerWriter(context.model, request);
  const events = new EventWriter(response);
  const start = head('chat.completion.chunk', context);
  const usage = request.includeUsage ? { usage: null } : {};
  const send = (index: number, { finishReason, logprobs = null, ...delta }: Piece): void =>
    events.write({ ...start, choices: [{ index, delta, logprobs, finish_reason: finishReason ?? null }], ...usage });
  const begin = (index: number) => send(index, { role: 'assistant', content: '' });
  const { stop, logprobs: wantsLogprobs } = request;
  let begun = false;
  const streamer =
    request.n === 1
      ? new PieceStreamer(answer, { stop, wantsLogprobs }, (piece) => {
          if (!begun) begin(0);
          begun = true;
          send(0, piece);
        })
      : undefined;
  const completions = await generated(promptIds, request, context, { signal, streamer });
  completions.forEach((completion, index) => {
    const { text, logprobs, finishReason } = answer.choice(completion);
    if (!begun) begin(index);
    if (!streamer) send(index, { content: text, logprobs });
    send(index, { finishReason });
  });
  if (request.includeUsage) events.write({ ...start, choices: [], usage: usageOf(promptIds.length, completions) });
  events.end();
}

function head(object: string, { name }: CompletionContext): object {
  return {
    id: `chatcmpl-${randomUUID().replaceAll('-', '')}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model: name,
    system_fingerprint: null,
  };
}

function promptOf({ messages, maxTokens = 1 }: ChatRequest, { model }: CompletionContext): number[] {
  let ids: number[];
  try {
    ids = model.tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true });
  } catch (error) {
    throw new ApiError(
      400,
      `The messages do not fit the model's chat template: ${(error as Error).message}`,
      'messages',
    );
  }
  if (ids.length + Math.min(1, maxTokens) > model.maxSeqLength)
    throw new ApiError(
      400,
      `The messages have ${ids.length} tokens, and the model takes ${model.maxSeqLength} with the completion.`,
      'messages',
      'context_length_exceeded',
    );
  return ids;
}

async function generated(
  inputIds: number[],
  request: ChatRequest,
  { model, turns }: CompletionContext,
  { signal, streamer }: Pick<GenerateOptions, 'streamer'> & { signal: AbortSignal },
): Promise<Generated[]> {
  const { temperature, topP, topK, minP, repetitionPenalty, maxTokens, n, seed, stop, logprobs, topLogprobs } = request;
  const options: GenerateOptions = {
    inputIds,
    numReturnSequences: n,
    doSample: temperature > 0,
    temperature,
    topP,
    topK,
    minP,
    ...(repetitionPenalty !== undefined && { repetitionPenalty }),
    maxNewTokens: Math.min(maxTokens ?? Infinity, model.maxSeqLength - inputIds.length),
    // Seeds are whole numbers from 0 here; OpenAI's may be negative.
    ...(seed !== undefined && { seed: Math.abs(seed) }),
    stopStrings: stop,
    topLogprobs: logprobs ? topLogprobs : 0,
    streamer,
    signal,
  };
  const output = await turns.take(signal, () => progressAt(nowhere, () => model.generate(options)));
  return output.sequences.map((ids, i) => ({
    ids,
    choices: ids.map((token, t) => ({
      token,
      logprob: output.logprobs[i][t],
      ...(output.topLogprobs && { top: output.topLogprobs[i][t] }),
    })),
    terminated: output.terminated[i],
  }));
}
