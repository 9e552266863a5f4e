import type { RawData, WebSocket } from 'ws';
import { parseExact } from '../../common/exactJson';
import type { OpenEnvErrorCode } from '../errors';
import { toJson } from './episode';
import type { HeldSessions } from './heldSessions';
import { answerRpc, answerRpcText, type RpcPlace } from './mcp';
import type { Contract } from './schemas';
import type { Seat } from './seat';
import { validator, ValidationFailure, type ValidationProblem } from './validate';

/** Messages that may wait for the environment before the connection is told to wait, too. */
const MAXIMUM_WAITING = 32;

/** What the server sends a client when it ends a session: an error message, then the end of the connection. */
export interface Ending {
  code: OpenEnvErrorCode;
  message: string;
  data?: Record<string, unknown>;
}

/** What a connection has of its server. */
export interface SessionSetting {
  contract: Contract;
  protocol: 'openenv' | 'mcp';
  sessions: HeldSessions;
  /** Gives the seat back, at the end. */
  leave(): Promise<void> | void;
}

/**
 * One WebSocket connection that plays in a seat. Messages are answered one
 * after another, in their order.
 */
export class ServedSession {
  private waiting = 0;
  private closed = false;
  private left: Promise<void> | null = null;
  private readonly place: RpcPlace;

  constructor(
    private readonly socket: WebSocket,
    readonly seat: Seat,
    private readonly setting: SessionSetting,
  ) {
    // Messages are answered in the seat's turn already.
    this.place = { sessions: setting.sessions, session: seat.id, use: (_, work) => work(seat.runner.environment) };
    socket.on('message', (data) => this.receive(data));
  }

  /** Ends the session, with a last message where there is something to say. Resolves when the seat is given back, after its current step. */
  end(ending?: Ending): Promise<void> {
    if (!this.closed && ending) this.send(errorMessage(ending.code, ending.message, ending.data));
    this.closed = true;
    this.socket.close(1000);
    this.left ??= Promise.resolve(this.setting.leave());
    return this.left;
  }

  private receive(data: RawData): void {
    if (this.closed) return;
    if (++this.waiting >= MAXIMUM_WAITING) this.socket.pause();
    void this.seat.do(async () => {
      if (!this.closed) await this.answer(data.toString());
      if (--this.waiting < MAXIMUM_WAITING && this.socket.isPaused) this.socket.resume();
    });
  }

  private async answer(text: string): Promise<void> {
    const answer = this.setting.protocol === 'mcp' ? await this.answerTools(text) : await this.answerMessage(text);
    if (answer !== null) this.send(answer);
  }

  /** The answer over `/mcp`. Never throws. */
  private async answerTools(text: string): Promise<string> {
    try {
      return toJson(await answerRpcText(text, this.place));
    } catch (error) {
      return errorMessage('EXECUTION_ERROR', errorText(error));
    }
  }

  /** The answer to a message, or `null` after which there is none. Never throws. */
  private async answerMessage(text: string): Promise<string | null> {
    let message: unknown;
    try {
      message = parseExact(text, 'The message');
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
    const { seat: { runner }, setting: { contract } } = this;
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
        return toJson({ type: 'mcp', data: await answerRpc(data, this.place) });
      case 'close':
        checkBare(message);
        // Not waited for: the end waits for this work.
        void this.end();
        return null;
      default:
        return errorMessage('UNKNOWN_TYPE', `Unknown message type: ${String(type ?? '')}. Valid: reset, step, state, mcp, close.`);
    }
  }

  /** Whether the client is there. */
  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
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
  return toJson({ type: 'error', data: { message, code, ...more } });
}

/** What an exception says, whatever was thrown. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
  return String(error);
}
