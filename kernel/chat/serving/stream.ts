import type { ServerResponse } from 'node:http';
import type { Streamer } from '../../models';
import type { Choice } from '../../models/generation/sampling';
import type { AnswerWriter } from './answer';
import type { ApiLogprobs, FinishReason } from './protocol';

/** Writes events of server-sent events; see the HTML standard. */
export class EventWriter {
  constructor(private readonly response: ServerResponse) {}

  begin(): void {
    if (this.response.headersSent) return;
    this.response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  }

  write(data: object): void {
    this.begin();
    this.response.write(`data: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    this.begin();
    this.response.end('data: [DONE]\n\n');
  }
}

/** A piece of a choice, as it is sent. */
export interface Piece {
  content?: string;
  role?: 'assistant';
  logprobs?: ApiLogprobs | null;
  finishReason?: FinishReason;
}

/**
 * Sends the text of a completion while it is generated: as soon as its characters are
 * whole, and no part of it may be the beginning of a stop string.
 */
export class PieceStreamer implements Streamer {
  private readonly ids: number[] = [];
  private pending: Choice[] = [];
  private sent = 0;
  private isPrompt = true;
  /** Characters at the end that may begin a stop string. */
  private readonly heldBack: number;
  private readonly wantsLogprobs: boolean;

  /** @param wantsLogprobs whether pieces have log-probabilities */
  constructor(
    private readonly answer: AnswerWriter,
    { stop, wantsLogprobs }: { stop: readonly string[]; wantsLogprobs: boolean },
    private readonly send: (piece: Piece) => void,
  ) {
    this.heldBack = Math.max(0, ...stop.map((one) => one.length - 1));
    this.wantsLogprobs = wantsLogprobs;
  }

  put(ids: readonly number[], choices: readonly Choice[] = []): void {
    if (this.isPrompt) {
      this.isPrompt = false;
      return;
    }
    this.ids.push(...ids);
    this.pending.push(...choices);
    const { text, stopped } = this.answer.cut(this.answer.text(this.ids));
    if (text.endsWith('\uFFFD')) return;
    this.sendUpTo(stopped ? text : text.slice(0, Math.max(this.sent, text.length - this.heldBack)));
  }

  end(): void {
    this.sendUpTo(this.answer.cut(this.answer.text(this.ids)).text);
  }

  private sendUpTo(text: string): void {
    const content = text.slice(this.sent);
    const logprobs = this.wantsLogprobs ? this.answer.logprobs(this.pending) : null;
    if (content === '' && (logprobs?.content.length ?? 0) === 0) return;
    this.sent = Math.max(this.sent, text.length);
    this.pending = [];
    this.send({ content, logprobs });
  }
}
