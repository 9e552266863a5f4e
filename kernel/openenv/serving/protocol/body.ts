import { ValidationFailure } from '../../../schema/problems';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { JsonFailure, readText } from './json';
import { LONGEST, MAXIMUM_HELD, MAXIMUM_MESSAGE, SMALL_MESSAGE } from './limits';

/** Thrown when a request is refused, with its HTTP status. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Bytes of messages that a server holds until they are answered, under one limit for all clients. */
export class HeldBytes {
  private held = 0;

  add(bytes: number): void {
    this.held += bytes;
  }

  /** Returns whether there is room for a message of which `size` bytes, already counted, have arrived. */
  hasRoom(size: number): boolean {
    return size <= SMALL_MESSAGE || this.held <= MAXIMUM_HELD;
  }

  free(bytes: number): void {
    this.held -= bytes;
  }
}

const FULL = 'The server holds too many messages that are not answered yet. Try again later.';
const TOO_LARGE = `A message may have ${MAXIMUM_MESSAGE} bytes at most.`;

/**
 * Reads the body of a request, whose bytes count as held until the answer is sent.
 * Rejects with {@link Refused} when it is too large, incomplete, or there is no room.
 */
export async function readBody(request: IncomingMessage, response: ServerResponse, held: HeldBytes): Promise<string> {
  if (Number(request.headers['content-length']) > MAXIMUM_MESSAGE) throw new Refused(413, TOO_LARGE);
  let size = 0;
  response.once('close', () => held.free(size));
  try {
    const parts: Buffer[] = [];
    await new Promise<void>((resolve, reject) => {
      request.on('data', (part: Buffer) => {
        size += part.length;
        parts.push(part);
        held.add(part.length);
        if (!held.hasRoom(size)) reject(new Refused(503, FULL));
        else if (size > MAXIMUM_MESSAGE) reject(new Refused(413, TOO_LARGE));
      });
      request
        .once('end', resolve)
        .once('error', reject)
        .once('close', () => reject(new Refused(400, 'The request ended before its body did.')));
    });
    return readText(Buffer.concat(parts, size));
  } catch (error) {
    request.removeAllListeners('data').resume();
    if (error instanceof JsonFailure)
      throw new ValidationFailure([{ type: 'json_invalid', loc: ['body'], msg: error.message }]);
    throw error;
  }
}

/** Largest header of a frame in bytes. */
const FRAME_HEAD = 14;

/**
 * Counts the bytes of messages that are arriving over a WebSocket. Ends a connection
 * for which there is no room, or whose message takes longer than `timeout`
 * milliseconds to arrive.
 */
export function countArriving(stream: Duplex, socket: WebSocket, held: HeldBytes, timeout: number): void {
  let arriving = 0;
  let timer: NodeJS.Timeout | undefined;
  const end = (code: number, reason: string): void => {
    socket.close(code, reason);
    stream.end(() => socket.terminate());
  };
  const late = (): void => {
    // The rest is not read now, as other messages wait.
    if (socket.isPaused) timer = setTimeout(late, Math.min(timeout, LONGEST)).unref();
    else end(1008, 'The message took too long to arrive.');
  };
  const free = (bytes: number): void => {
    held.free(bytes);
    arriving -= bytes;
    if (arriving === 0) timer = void clearTimeout(timer);
  };
  const control = (data: Buffer): void => free(Math.min(arriving, data.length + FRAME_HEAD));
  socket
    .on('message', () => free(arriving))
    .on('close', () => free(arriving))
    .on('ping', control)
    .on('pong', control);
  stream.prependListener('data', (part: Buffer) => {
    arriving += part.length;
    held.add(part.length);
    if (Number.isFinite(timeout)) timer ??= setTimeout(late, Math.min(timeout, LONGEST)).unref();
    if (!held.hasRoom(arriving)) end(1013, 'The server holds too many messages.');
  });
}
