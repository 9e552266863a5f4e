import { defined } from '../../../common/defined';
import { invalidArgument, OpenEnvError, serverError } from '../../../openenv/errors';
import { parseMessage } from '../../../openenv/messages';
import { Stream } from './stream';

/** Bytes of an Atari console's memory. */
const RAM = 128;
/** Bytes of a frame: 210 × 160 palette indices. */
const FRAME = 210 * 160;

const RESET = 0;
const STEP = 1;
const RENDER = 2;

/** Milliseconds for the connection. */
const CONNECT_TIMEOUT = 60_000;
/** Milliseconds for an answer, by default. */
export const MESSAGE_TIMEOUT = 60_000;

/** A process that plays many games. */
export interface AtariProcess {
  /** Its address: `tcp://127.0.0.1:port`. */
  url: string;
  /** Milliseconds for an answer; default 60,000. A process that takes longer counts as frozen. */
  messageTimeout?: number;
}

/** Options of {@link AtariClient.connect}. Times in milliseconds. */
export interface AtariClientOptions {
  /** Number of games, the sub-environments 0 … numEnvs − 1. */
  numEnvs: number;
  /** Options of the environment, as for `openenv`. */
  options: object;
  /** For the answer to a request; default 60,000. */
  messageTimeout?: number;
}

/** The result of a reset or a step. Entry i belongs to `indices[i]` of the request. */
export interface AtariStep {
  /** The 128 bytes of memory. */
  ram: Uint8Array[];
  /** Change of the score; 0 after a reset. */
  rewards: Float32Array;
  lives: Int32Array;
  /** 1 when the game is over. */
  terminated: Uint8Array;
  /** 1 when the episode was cut off. */
  truncated: Uint8Array;
  /** 210 × 160 palette indices, row by row; `null` when no frame was asked for. */
  frames: (Uint8Array | null)[];
}

/**
 * Many games in one process, stepped together, over binary messages: the same
 * episodes as over OpenEnv's own protocol, without its JSON. The server's
 * `vector.py` documents the messages.
 */
export class AtariClient {
  private constructor(
    private readonly stream: Stream,
    readonly numEnvs: number,
    /** Names of the actions; an action is an index into them. */
    readonly actions: string[],
  ) {}

  /** Connects to the process at `url` and loads the games. Rejects with an OpenEnvError. */
  static async connect(url: string, options: AtariClientOptions): Promise<AtariClient> {
    const { numEnvs, messageTimeout = MESSAGE_TIMEOUT } = options;
    const stream = await Stream.connect(url, { connectTimeout: CONNECT_TIMEOUT, messageTimeout });
    try {
      const opening = { num_envs: numEnvs, options: snakeCase(options.options) };
      const greeting: any = parseMessage(await stream.request(Buffer.from(JSON.stringify(opening))));
      if (greeting.type === 'error') throw serverError(greeting.data);
      return new AtariClient(stream, numEnvs, greeting.data.actions);
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /**
   * Starts an episode in each of the sub-environments `indices`, from `seeds[i]` in
   * `indices[i]`. `frames: true` sends a frame with this answer and every step's, a
   * number n with every n-th step's. Rejects with `INVALID_ARGUMENT` for a seed that
   * is not a whole number from 0 on.
   */
  async reset(indices: number[], seeds: number[], options: { frames?: boolean | number } = {}): Promise<AtariStep> {
    const every = Number(options.frames ?? 0);
    if (!Number.isInteger(every) || every < 0 || every > 255) {
      throw invalidArgument(`frames must be true, false or a whole number from 0 to 255, not ${options.frames}.`);
    }
    const request = this.request(RESET, every, indices, seeds.length, 8);
    seeds.forEach((seed, i) => {
      if (!Number.isSafeInteger(seed) || seed < 0)
        throw invalidArgument(`A seed must be a whole number ≥ 0, not ${seed}.`);
      request.setBigUint64(4 + 2 * indices.length + 8 * i, BigInt(seed), true);
    });
    return this.ask(request);
  }

  /** Takes a step in each of `indices`: the action with ID `actions[i]` in `indices[i]`. Rejects with `INVALID_ARGUMENT` for an ID that does not exist. */
  async step(indices: number[], actions: number[]): Promise<AtariStep> {
    const request = this.request(STEP, 0, indices, actions.length, 1);
    actions.forEach((action, i) => {
      if (!(action in this.actions))
        throw invalidArgument(
          `There is no action ${action}: the actions are ${this.actions.map((name, j) => `${j} ${name}`).join(', ')}.`,
        );
      request.setUint8(4 + 2 * indices.length + i, action);
    });
    return this.ask(request);
  }

  /** Returns the screens of `indices` as they are now, 210 × 160 palette indices each, row by row. */
  async render(indices: number[]): Promise<Uint8Array[]> {
    const { buffer } = this.request(RENDER, 0, indices, indices.length, 0);
    const message = checked(await this.stream.request(new Uint8Array(buffer)));
    return indices.map((_, i) => message.slice(4 + FRAME * i, 4 + FRAME * (i + 1)));
  }

  /** Closes the connection, which frees the games; resolves when the process has done so. A request under way fails. */
  close(): Promise<void> {
    return this.stream.end();
  }

  private request(kind: number, every: number, indices: number[], values: number, valueBytes: number): DataView {
    if (indices.length !== values) throw invalidArgument(`${indices.length} slots need as many values, not ${values}.`);
    const view = new DataView(new ArrayBuffer(4 + indices.length * (2 + valueBytes)));
    view.setUint8(0, kind);
    view.setUint8(1, every);
    view.setUint16(2, indices.length, true);
    indices.forEach((index, i) => view.setUint16(4 + 2 * i, index, true));
    return view;
  }

  private async ask({ buffer }: DataView): Promise<AtariStep> {
    return unpack(checked(await this.stream.request(new Uint8Array(buffer))));
  }
}

/** Returns whether the process at `url` answers within `timeout` milliseconds: to an empty request, which it refuses. */
export async function answers(url: string, timeout: number): Promise<boolean> {
  let stream: Stream | undefined;
  try {
    stream = await Stream.connect(url, { connectTimeout: timeout, messageTimeout: timeout });
    return (await stream.request(Buffer.from('{}'))).length > 0;
  } catch {
    return false;
  } finally {
    stream?.close();
  }
}

/** The first byte of an answer that is JSON: an error. */
const BRACE = 0x7b;

/** Returns an answer. Throws an OpenEnvError when it is an error, or not an answer. */
function checked(message: Uint8Array): Uint8Array {
  if (message[0] !== BRACE) return message;
  const answer = parseMessage(message);
  throw answer.type === 'error'
    ? serverError(answer.data)
    : new OpenEnvError('PROTOCOL_ERROR', `Not an answer: ${JSON.stringify(answer).slice(0, 200)}`);
}

/** Returns the result of a reset or a step; all but the frames are views of the message. */
function unpack(message: Uint8Array): AtariStep {
  const buffer = message.buffer as ArrayBuffer;
  const n = message[2] | (message[3] << 8);
  const bytes = (from: number): Uint8Array => new Uint8Array(buffer, 4 + from * n, n);
  const ramAt = 4 + 11 * n;
  let frameAt = ramAt + RAM * n;
  const framed = bytes(10);
  const ram: Uint8Array[] = [];
  const frames: (Uint8Array | null)[] = [];
  for (let i = 0; i < n; i++) {
    ram.push(new Uint8Array(buffer, ramAt + RAM * i, RAM));
    frames.push(framed[i] ? message.slice(frameAt, (frameAt += FRAME)) : null);
  }
  return {
    rewards: new Float32Array(buffer, 4, n),
    lives: new Int32Array(buffer, 4 + 4 * n, n),
    terminated: bytes(8),
    truncated: bytes(9),
    ram,
    frames,
  };
}

/** Returns options with names as servers have them: `{ frameSkip: 4 }` → `{ frame_skip: 4 }`. */
export function snakeCase(options: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(defined(options)).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase()),
      value,
    ]),
  );
}
