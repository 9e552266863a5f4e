import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { awaitChild, type Child, type ChildResult } from './children';
import type { Header } from './message';
import type { Posted, ToWire } from './protocol';
import { TextWriter } from './textRing';

type StreamName = 'stdout' | 'stderr';

/** Sends messages, and printed text between them, from the main thread to the wire thread, in order. */
export class Outbox {
  private readonly text: TextWriter;
  /** The stream that text in the ring belongs to. */
  private stream: { name: StreamName; parent: Header } | null = null;

  constructor(
    private readonly send: (posted: Posted, transfer?: MessagePort[]) => void,
    ring: SharedArrayBuffer,
  ) {
    this.text = new TextWriter(ring);
  }

  post(message: ToWire, transfer?: MessagePort[]): void {
    this.text.countMessage();
    this.send({ message, position: this.text.position }, transfer);
  }

  /** Lets the wire thread run a child process, and blocks until it has ended. */
  runChild(child: Child, parent: Header): ChildResult {
    const { port1, port2 } = new MessageChannel();
    const done = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.post({ type: 'child', child, back: { port: port2, done }, parent }, [port2]);
    // The child's output begins a stream of its own.
    this.stream = null;
    try {
      return awaitChild({ port: port1, done });
    } finally {
      port1.close();
    }
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
