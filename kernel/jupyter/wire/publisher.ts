import type { Header, Message, OutgoingMessage } from '../message';
import type { CellOutputs } from './cellOutputs';
import type { RequestChannel, Sockets } from './sockets';
import { StreamBuffer } from './streams';

/** Sends replies, and what is published on iopub, in order with the printed text. */
export class Publisher {
  readonly streams: StreamBuffer;

  constructor(
    private readonly sockets: Sockets,
    private readonly outputs: CellOutputs,
    textRing: SharedArrayBuffer,
  ) {
    this.streams = new StreamBuffer(textRing, (content, parent) => this.output({ type: 'stream', content, parent }));
  }

  reply(channel: RequestChannel, { header, identities }: Message, content: string, metadata?: string): void {
    const type = header.msg_type.replace('_request', '_reply');
    this.sockets.send(channel, identities, { type, content, metadata, parent: header });
  }

  publish(message: OutgoingMessage): void {
    this.sockets.publish(message);
  }

  /** Publishes what may be a cell's output, and keeps it. */
  output(message: OutgoingMessage): void {
    this.sockets.publish(this.outputs.kept(message));
  }

  status(state: 'starting' | 'busy' | 'idle', parent: Header | null): void {
    this.streams.flush();
    this.sockets.publish({ type: 'status', content: JSON.stringify({ execution_state: state }), parent });
  }
}
