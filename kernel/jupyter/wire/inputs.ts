import { randomUUID } from 'node:crypto';
import type { Message } from '../message';

/** A line of text that the front end is asked for. */
export interface InputRequest {
  /** The request of the front end during which it is asked. */
  id: number;
  /** Its own number. */
  input: number;
  prompt: string;
  password: boolean;
  /** Takes the answer; `null`: there will be none. */
  give(text: string | null): void;
}

/** Wire thread: asks the front end for lines of text, one at a time. */
export class Inputs {
  private readonly waiting: InputRequest[] = [];
  private asked: { input: InputRequest; messageId: string } | null = null;
  /** IDs of the questions that were cancelled: front ends may go on showing them. */
  private readonly stale = new Set<string>();

  /** @param send sends `input_request` under an ID; returns `false` when nobody can be asked any more */
  constructor(private readonly send: (input: InputRequest, messageId: string) => boolean) {}

  request(input: InputRequest): void {
    this.waiting.push(input);
    this.next();
  }

  /** Passes an answer on. One to a cancelled question is dropped, if the client says what it answers. */
  receive({ header, parentHeader, content }: Message): void {
    if (header.msg_type !== 'input_reply' || !this.asked || this.stale.has(String(parentHeader.msg_id))) return;
    this.asked.input.give(String(content.value ?? ''));
    this.asked = null;
    this.next();
  }

  /** Cancels the questions for which `isMeant` returns true; by default, all. */
  cancel(isMeant: (input: InputRequest) => boolean = () => true): void {
    const dropped = this.waiting.filter(isMeant);
    for (const input of dropped) this.waiting.splice(this.waiting.indexOf(input), 1);
    if (this.asked && isMeant(this.asked.input)) {
      dropped.unshift(this.asked.input);
      this.stale.add(this.asked.messageId);
      this.asked = null;
    }
    for (const input of dropped) input.give(null);
    this.next();
  }

  private next(): void {
    if (this.asked) return;
    const input = this.waiting.shift();
    if (!input) return;
    const messageId = randomUUID();
    this.asked = { input, messageId };
    if (this.send(input, messageId)) return;
    this.asked = null;
    input.give(null);
    this.next();
  }
}
