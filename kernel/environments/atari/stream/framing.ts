/** Messages to a process of this machine: the length as a little-endian u32, then the content. */
import { OpenEnvError } from '../../../openenv/errors';

/** Bytes that tell the length of a message. */
export const HEADER = 4;
/** Bytes of a message, at most. */
const MOST_BYTES = 256 * 2 ** 20;

/** A message as it travels. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER + message.length);
  bytes.writeUInt32LE(message.length);
  bytes.set(message, HEADER);
  return bytes;
}

/** The length that a header tells. Fails with `PROTOCOL_ERROR` where it cannot be one. */
export function lengthOf(header: Buffer, url: string): number {
  const length = header.readUInt32LE();
  if (length <= MOST_BYTES) return length;
  throw new OpenEnvError(
    'PROTOCOL_ERROR',
    `The process at ${url} announces a message of ${length} bytes: it does not speak this protocol.`,
  );
}

/** The other side is gone. */
export function lost(url: string): OpenEnvError {
  return new OpenEnvError('CONNECTION_LOST', `The connection to the process at ${url} broke. Its games are lost.`);
}

/** No answer in time. `timeout`: milliseconds. */
export function late(url: string, timeout: number): OpenEnvError {
  return new OpenEnvError(
    'TIMEOUT',
    `The process at ${url} did not answer within ${timeout / 1000} s. Its games are lost.`,
  );
}
