import { randomUUID } from 'node:crypto';
import type { Signer } from './signature';

/** The version of Jupyter's messaging protocol that the kernel speaks. */
export const PROTOCOL_VERSION = '5.5';

/** Header of a message, as on the wire. */
export interface Header {
  msg_id: string;
  session: string;
  username: string;
  date: string;
  msg_type: string;
  version: string;
}

/** A message as it was received. */
export interface Message {
  /** ZeroMQ's routing prefix: the client that a reply goes to. */
  identities: Uint8Array[];
  signature: string;
  header: Header;
  parentHeader: Partial<Header>;
  metadata: Record<string, unknown>;
  content: Record<string, any>;
  buffers: Uint8Array[];
}

/** A message to send; `content` and `metadata` are already JSON. */
export interface OutgoingMessage {
  /** Its `msg_id`; a new one by default. */
  id?: string;
  type: string;
  content: string;
  metadata?: string;
  parent: Header | null;
  buffers?: Uint8Array[];
}

const DELIMITER = '<IDS|MSG>';
const DELIMITER_BYTES = Buffer.from(DELIMITER);

/** The kernel's session: one for its whole life. */
export const SESSION = randomUUID();

/** A message is not one of the protocol, or its signature is wrong; the text says why. */
export class MalformedMessage extends Error {}

/**
 * Returns the frames of a message: prefix, delimiter, signature, header, parent
 * header, metadata, content, buffers. The signature covers the four JSON
 * frames, not the buffers.
 */
export function encode(message: OutgoingMessage, prefix: Uint8Array[], signer: Signer): Uint8Array[] {
  const header: Header = {
    msg_id: message.id ?? randomUUID(),
    session: SESSION,
    username: 'kernel',
    date: new Date().toISOString(),
    msg_type: message.type,
    version: PROTOCOL_VERSION,
  };
  const parts = [
    JSON.stringify(header),
    JSON.stringify(message.parent ?? {}),
    message.metadata ?? '{}',
    message.content,
  ];
  const frames = parts.map((part) => Buffer.from(part));
  return [...prefix, DELIMITER_BYTES, Buffer.from(signer.sign(frames)), ...frames, ...(message.buffers ?? [])];
}

/**
 * Returns the message of some frames.
 *
 * @throws MalformedMessage when they are not one, or when the signature is wrong
 */
export function decode(frames: Uint8Array[], signer: Signer): Message {
  const delimiter = frames.findIndex((frame) => DELIMITER_BYTES.equals(frame));
  if (delimiter < 0 || frames.length < delimiter + 6) throw new MalformedMessage('frames are missing');
  const json = frames.slice(delimiter + 2, delimiter + 6);
  const signature = Buffer.from(frames[delimiter + 1]).toString('latin1');
  if (!signer.verify(signature, json)) {
    throw new MalformedMessage('the signature is wrong');
  }
  const [header, parentHeader, metadata, content] = json.map(parseObject);
  if (typeof header.msg_id !== 'string' || typeof header.msg_type !== 'string') {
    throw new MalformedMessage('the header has no msg_id or msg_type');
  }
  return {
    identities: frames.slice(0, delimiter),
    signature,
    header: header as unknown as Header,
    parentHeader,
    metadata,
    content,
    buffers: frames.slice(delimiter + 6),
  };
}

function parseObject(frame: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(frame).toString('utf8'));
  } catch {
    throw new MalformedMessage('a frame is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedMessage('a frame is not a JSON object');
  }
  return value as Record<string, unknown>;
}
