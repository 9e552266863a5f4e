import type { Header } from '../message';
import { TextReader } from '../textRing';

/** Milliseconds that text waits for more, at most. */
const DELAY = 15;
/** Characters of text that are sent without waiting. */
const MAXIMUM_LENGTH = 1 << 17;

/** The stream and the request that text belongs to. */
interface Stream {
  name: 'stdout' | 'stderr';
  parent: Header;
}

/** Takes printed text from the ring and joins text of one stream in one `stream` message. */
export class StreamBuffer {
  private readonly reader: TextReader;
  private stream: Stream | null = null;
  private parts: string[] = [];
  private length = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    ring: SharedArrayBuffer,
    private readonly publish: (content: string, parent: Header) => void,
  ) {
    this.reader = new TextReader(ring);
  }

  /** Takes the text that comes before a message that has arrived. */
  before(position: number): void {
    this.reader.countMessage();
    this.append(this.reader.readTo(position));
  }

  /** Takes the text after a message that was handled. */
  after(): void {
    this.append(this.reader.readAll());
  }

  /** Sets the stream that text belongs to from here on. */
  begin(stream: Stream): void {
    const same = this.stream?.name === stream.name && this.stream.parent.msg_id === stream.parent.msg_id;
    if (!same) this.flush();
    this.stream = stream;
  }

  append(text: string): void {
    if (!text) return;
    this.parts.push(text);
    this.length += text.length;
    if (this.length >= MAXIMUM_LENGTH) this.flush();
    else this.wake();
  }

  /** Starts the timer that sends the text. */
  wake(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.reader.sleep();
      this.after();
      this.flush();
    }, DELAY);
  }

  /** Sends the text that waits. Called before any other message is published, so that order is kept. */
  flush(): void {
    if (this.length === 0) return;
    const { name, parent } = this.stream!;
    const text = this.parts.join('');
    this.parts = [];
    this.length = 0;
    this.publish(JSON.stringify({ name, text }), parent);
  }
}
