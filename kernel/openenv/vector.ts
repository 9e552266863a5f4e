import { Channel, type Message } from './channel';
import { parseMessage, webSocketUrl } from './client';
import { OpenEnvError, serverError } from './errors';

/** Bytes of an Atari console's memory. */
const RAM = 128;
/** Bytes of a frame: 210 × 160 palette indices. */
const FRAME = 210 * 160;

const RESET = 0;
const STEP = 1;

/** Where a vector endpoint listens: one process that plays many games. */
export interface VectorLane {
  /** The address of its server. */
  url: string;
}

/** Options of {@link VectorClient.connect}. Times in milliseconds. */
export interface VectorOptions {
  /** Number of games, the slots 0 … numEnvs − 1. */
  numEnvs: number;
  /** Options of the environment, as for `openenv`; left out: the server's own. */
  options?: object;
  /** For the connection and the loading of the games; default 60,000. */
  connectTimeout?: number;
  /** For the answer to a request; default 60,000. */
  messageTimeout?: number;
  /** Closes the connection when aborted; a request under way fails with its reason. */
  signal?: AbortSignal;
}

/** What a reset or a step gives. Entry i belongs to `slots[i]` of the request. */
export interface VectorStep {
  /** The 128 bytes of memory. */
  ram: Uint8Array[];
  /** Change of the score; 0 after a reset. */
  rewards: Float32Array;
  lives: Int32Array;
  /** 1 when the game is over. */
  terminated: Uint8Array;
  /** 1 when the episode was cut off. */
  truncated: Uint8Array;
  /** 210 × 160 palette indices, row by row, where a frame was asked for. */
  frames: (Uint8Array | null)[];
}

/**
 * Many games in one process, in lockstep, over binary messages: the same
 * episodes as over OpenEnv's own protocol, without its JSON.
 */
export class VectorClient {
  private constructor(
    private readonly channel: Channel,
    readonly numEnvs: number,
    /** Names of the actions; an action is an index into them. */
    readonly actions: string[],
  ) {}

  /** Connects to the vector endpoint of the server at `url` and loads the games. */
  static async connect(url: string, options: VectorOptions): Promise<VectorClient> {
    const query = new URLSearchParams({ num_envs: String(options.numEnvs) });
    if (options.options) query.set('options', JSON.stringify(snakeCase(options.options)));
    const channel = await Channel.open(webSocketUrl(url, `/vector?${query}`), {
      connectTimeout: options.connectTimeout ?? 60_000,
      messageTimeout: options.messageTimeout ?? 60_000,
      signal: options.signal,
    });
    try {
      const greeting: any = parseMessage(await channel.receive());
      if (greeting.type === 'error') throw serverError(greeting.data);
      return new VectorClient(channel, options.numEnvs, greeting.data.actions);
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  /**
   * Starts an episode in each of `slots`, `seeds[i]` in `slots[i]`.
   * `frames: true` sends a frame with this answer and every step's,
   * a number n with every n-th step's.
   */
  async reset(slots: number[], seeds: number[], options: { frames?: boolean | number } = {}): Promise<VectorStep> {
    const every = Number(options.frames ?? 0);
    if (!Number.isInteger(every) || every < 0 || every > 255) {
      throw new OpenEnvError('INVALID_ARGUMENT', `frames must be true, false or a whole number from 0 to 255, not ${options.frames}.`);
    }
    const request = this.request(RESET, every, slots, seeds.length, 8);
    seeds.forEach((seed, i) => {
      if (!Number.isSafeInteger(seed) || seed < 0) throw new OpenEnvError('INVALID_ARGUMENT', `A seed must be a whole number ≥ 0, not ${seed}.`);
      request.setBigUint64(4 + 2 * slots.length + 8 * i, BigInt(seed), true);
    });
    return this.ask(request);
  }

  /** Plays one step in each of `slots`: action number `actions[i]` in `slots[i]`. */
  async step(slots: number[], actions: number[]): Promise<VectorStep> {
    const request = this.request(STEP, 0, slots, actions.length, 1);
    actions.forEach((action, i) => {
      if (!(action in this.actions)) throw new OpenEnvError('INVALID_ARGUMENT', `There is no action ${action}: the actions are ${this.actions.map((name, j) => `${j} ${name}`).join(', ')}.`);
      request.setUint8(4 + 2 * slots.length + i, action);
    });
    return this.ask(request);
  }

  /** Gives the games back. A request under way fails. */
  async close(): Promise<void> {
    this.channel.close();
  }

  private request(kind: number, every: number, slots: number[], values: number, valueBytes: number): DataView {
    if (slots.length !== values) throw new OpenEnvError('INVALID_ARGUMENT', `${slots.length} slots need as many values, not ${values}.`);
    const view = new DataView(new ArrayBuffer(4 + slots.length * (2 + valueBytes)));
    view.setUint8(0, kind);
    view.setUint8(1, every);
    view.setUint16(2, slots.length, true);
    slots.forEach((slot, i) => view.setUint16(4 + 2 * i, slot, true));
    return view;
  }

  private async ask(request: DataView): Promise<VectorStep> {
    return unpack(await this.channel.request(new Uint8Array(request.buffer as ArrayBuffer)));
  }
}

/** Reads an answer; its layout is told in the server's `vector.py`. */
function unpack(message: Message): VectorStep {
  if (typeof message === 'string') {
    const answer = parseMessage(message);
    throw answer.type === 'error' ? serverError(answer.data) : new OpenEnvError('PROTOCOL_ERROR', `Not an answer: ${message.slice(0, 200)}`);
  }
  const n = message[2] | (message[3] << 8);
  const framesAt = 4 + n * (4 + 4 + 1 + 1 + 1 + RAM);
  const { buffer } = new Uint8Array(message.subarray(4, framesAt)); // a copy: aligned, and ours to keep
  const bytes = (from: number, to: number): Uint8Array => new Uint8Array(buffer, from * n, (to - from) * n);
  let frameAt = framesAt;
  const nextFrame = (): Uint8Array => new Uint8Array(message.subarray(frameAt, (frameAt += FRAME)));
  return {
    rewards: new Float32Array(buffer, 0, n),
    lives: new Int32Array(buffer, 4 * n, n),
    terminated: bytes(8, 9),
    truncated: bytes(9, 10),
    ram: Array.from({ length: n }, (_, i) => new Uint8Array(buffer, 11 * n + RAM * i, RAM)),
    frames: Array.from(bytes(10, 11), has => (has ? nextFrame() : null)),
  };
}

/** `{ frameSkip: 4 }` → `{ frame_skip: 4 }`: names of options as servers write them. */
export function snakeCase(options: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name.replace(/[A-Z]/g, letter => '_' + letter.toLowerCase()), value]),
  );
}
