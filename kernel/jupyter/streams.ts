import type { Header } from './message';

/** Longest time that text waits for more, in milliseconds. */
const DELAY = 15;
/** Text that is sent without waiting, in characters. */
const MAXIMUM_LENGTH = 1 << 17;

interface Pending {
  name: 'stdout' | 'stderr';
  parent: Header | null;
  parts: string[];
  length: number;
}

/** Joins writes that follow each other into one `stream` message. */
export class StreamBuffer {
  private pending: Pending | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly publish: (content: string, parent: Header | null) => void) {}

  write(name: 'stdout' | 'stderr', text: string, parent: Header | null): void {
    if (this.pending && (this.pending.name !== name || this.pending.parent?.msg_id !== parent?.msg_id)) this.flush();
    this.pending ??= { name, parent, parts: [], length: 0 };
    this.pending.parts.push(text);
    this.pending.length += text.length;
    if (this.pending.length >= MAXIMUM_LENGTH) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), DELAY);
  }

  /** Sends what waits. Called before any other message is published, so that order is kept. */
  flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const pending = this.pending;
    if (!pending) return;
    this.pending = null;
    this.publish(JSON.stringify({ name: pending.name, text: pending.parts.join('') }), pending.parent);
  }
}
