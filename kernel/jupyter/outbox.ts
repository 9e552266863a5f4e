import type { Header } from './message';
import type { Posted, ToWire } from './protocol';
import { TextWriter } from './textRing';

type StreamName = 'stdout' | 'stderr';

/** The main thread's way to the wire thread: messages, and text between them, in the order in which they were given. */
export class Outbox {
  private readonly text: TextWriter;
  /** Whose text the ring takes. */
  private stream: { name: StreamName; parent: Header } | null = null;

  constructor(
    private readonly send: (posted: Posted) => void,
    ring: SharedArrayBuffer,
  ) {
    this.text = new TextWriter(ring);
  }

  post(message: ToWire): void {
    this.text.countMessage();
    this.send({ message, position: this.text.position });
  }

  write(name: StreamName, text: string, parent: Header): void {
    if (this.stream?.name !== name || this.stream.parent.msg_id !== parent.msg_id) {
      this.stream = { name, parent };
      this.post({ type: 'stream', name, parent, text: '' });
    }
    if (!this.text.write(text)) this.post({ type: 'stream', name, parent, text });
    else if (this.text.wake()) this.post({ type: 'text' });
  }
}
