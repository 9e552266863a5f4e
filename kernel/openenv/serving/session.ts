import type { RawData, WebSocket } from 'ws';
import type { OpenEnvErrorCode } from '../errors';
import { EpisodeRunner, toJson } from './episode';
import { answerRpc, answerRpcText } from './mcp';
import type { Contract } from './schemas';
import { validator, ValidationFailure, type ValidationProblem } from './validate';

/** Messages that may wait for the environment before the connection is told to wait, too. */
const MAXIMUM_WAITING = 32;

/** What the server sends a client when it ends a session: an error message, then the end of the connection. */
export interface Ending {
  code: OpenEnvErrorCode;
  message: string;
  data?: Record<string, unknown>;
}

/**
 * One WebSocket connection with an environment of its own. Messages are
 * answered one after another, in their order.
 */
export class ServedSession {
  /** When the last message came, or its answer went: milliseconds, as `Date.now()`. */
  lastActivity = Date.now();
  private work: Promise<void> = Promise.resolve();
  private waiting = 0;
  private closed = false;
  private cleaned: Promise<void> | null = null;

  constructor(
    private readonly socket: WebSocket,
    private readonly runner: EpisodeRunner,
    private readonly contract: Contract,
    private readonly protocol: 'openenv' | 'mcp',
  ) {
    socket.on('message', (data) => this.receive(data));
  }

  /** Whether a message is being answered. */
  get busy(): boolean {
    return this.waiting > 0;
  }

  /** Ends the session, with a last message where there is something to say. The environment is closed after its current step. */
  end(ending?: Ending): Promise<void> {
    if (!this.closed && ending) this.send(errorMessage(ending.code, ending.message, ending.data));
    this.closed = true;
    this.socket.close(1000);
    this.cleaned ??= this.work.then(() => this.runner.close()).catch(() => {});
    return this.cleaned;
  }

  private receive(data: RawData): void {
    if (this.closed) return;
    this.lastActivity = Date.now();
    if (++this.waiting >= MAXIMUM_WAITING) this.socket.pause();
    this.work = this.work.then(async () => {
      if (!this.closed) await this.answer(data.toString());
      this.lastActivity = Date.now();
      if (--this.waiting < MAXIMUM_WAITING && this.socket.isPaused) this.socket.resume();
    });
  }

  private async answer(text: string): Promise<void> {
    const answer = this.protocol === 'mcp' ? toJson(await answerRpcText(text, () => this.runner.environment)) : await this.answerMessage(text);
    if (answer !== null) this.send(answer);
  }

  /** The answer to a message, or `null` after which there is none. Never throws. */
  private async answerMessage(text: string): Promise<string | null> {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch (error) {
      return errorMessage('INVALID_JSON', `Invalid JSON: ${(error as Error).message}`);
    }
    try {
      return await this.handle(message);
    } catch (error) {
      if (error instanceof ValidationFailure) return errorMessage('VALIDATION_ERROR', error.message, { errors: error.problems });
      return errorMessage('EXECUTION_ERROR', errorText(error));
    }
  }

  private async handle(message: unknown): Promise<string | null> {
    const { runner, contract } = this;
    checkObject(message);
    const { type, data } = message as { type?: unknown; data?: any };
    switch (type) {
      case 'reset':
        checkReset(message);
        contract.checkReset(data ?? {});
        return toJson({ type: 'observation', data: await runner.reset(data ?? {}) });
      case 'step':
        checkWithData(message);
        return toJson({ type: 'observation', data: await runner.step(contract.checkAction(data)) });
      case 'state':
        checkBare(message);
        return toJson({ type: 'state', data: runner.state() });
      case 'mcp':
        checkWithData(message);
        return toJson({ type: 'mcp', data: await answerRpc(data, () => runner.environment) });
      case 'close':
        checkBare(message);
        await this.endSoon();
        return null;
      default:
        return errorMessage('UNKNOWN_TYPE', `Unknown message type: ${String(type ?? '')}. Valid: reset, step, state, mcp, close.`);
    }
  }

  /** Whether the client is there. */
  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** From within the work, which `end` waits for. */
  private async endSoon(): Promise<void> {
    void this.end();
  }

  private send(text: string): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(text);
  }
}

const checkObject = validator({ type: 'object' }, 'message');
const checkReset = validator(messageSchema({ data: { type: 'object' } }, []), 'message');
const checkWithData = validator(messageSchema({ data: { type: 'object' } }, ['data']), 'message');
const checkBare = validator(messageSchema({}, []), 'message');

function messageSchema(properties: object, required: string[]): object {
  return { type: 'object', properties: { type: {}, ...properties }, required, additionalProperties: false };
}

/** An error message of the protocol, as text. */
export function errorMessage(code: OpenEnvErrorCode, message: string, more: { errors?: ValidationProblem[] } & Record<string, unknown> = {}): string {
  return JSON.stringify({ type: 'error', data: { message, code, ...more } });
}

/** What an exception says, whatever was thrown. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
  return String(error);
}
