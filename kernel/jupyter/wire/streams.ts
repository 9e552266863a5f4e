import type { Header } from '../message';
import { TextReader } from '../textRing';

/** Longest time that text waits for more, in milliseconds. */
const DELAY = 15;
/** Text that is sent without waiting, in characters. */
const MAXIMUM_LENGTH = 1 << 17;

/** Whose text it is. */
interface Stream {
  name: 'stdout' | 'stderr';
  parent: Header;
}

/** Takes printed text from the ring and joins what belongs together into one `stream` message. */
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

  /** A message has arrived: takes the text that comes before it. */
  before(position: number): void {
    this.reader.countMessage();
    this.append(this.reader.readTo(position));
  }

  /** A message was handled: takes the text after it. */
  after(): void {
    this.append(this.reader.readAll());
  }

  /** From here on the text belongs to `stream`. */
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

  /** There is text, or will be: sends it when it has waited long enough. */
  wake(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.reader.sleep();
      this.after();
      this.flush();
    }, DELAY);
  }

  /** Sends what waits. Called before any other message is published, so that order is kept. */
  flush(): void {
    if (this.length === 0) return;
    const { name, parent } = this.stream!;
    const text = this.parts.join('');
    this.parts = [];
    this.length = 0;
    this.publish(JSON.stringify({ name, text }), parent);
  }
}
