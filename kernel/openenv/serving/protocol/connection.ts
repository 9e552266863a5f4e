import type { RawData, WebSocket } from 'ws';
import { stringifyExact } from '../../../common/exactJson';
import { OpenEnvError } from '../../errors';
import type { HeldBytes } from './body';
import type { HeldSessions } from '../heldSessions';
import { JsonFailure, readJson, readText, writeJson } from './json';
import { MAXIMUM_WAITING, MAXIMUM_WAITING_BYTES } from './limits';
import { answerRpc, answerRpcText, unsendable, type RpcContext } from './mcp';
import type { Contract } from '../schemas';
import type { Session } from '../session';
import { errorText, isA } from '../thrown';
import { validator } from '../../../schema/validate';
import { ValidationFailure } from '../../../schema/problems';

/** What a connection uses of its server. */
export interface ConnectionContext {
  contract: Contract;
  protocol: 'openenv' | 'mcp';
  sessions: HeldSessions;
  held: HeldBytes;
  /** Leaves the session when the connection ends. */
  leave(): Promise<void> | void;
}

/** One WebSocket connection to a session. Messages are answered one after another, in their order. */
export class ServedConnection {
  private waiting = 0;
  /** Bytes of messages that wait, and of answers that the client has not received. */
  private waitingBytes = 0;
  private closed = false;
  private left: Promise<void> | null = null;
  private readonly rpc: RpcContext;

  constructor(
    private readonly socket: WebSocket,
    readonly session: Session,
    private readonly context: ConnectionContext,
  ) {
    // Messages are answered in the session's turn already.
    this.rpc = {
      sessions: context.sessions,
      session: session.id,
      use: (_, work) => {
        session.played = true;
        return work(session.runner.environment);
      },
    };
    socket.on('message', (data) => this.receive(data));
  }

  /** Ends the connection, with `reason` as its last message. Resolves when the session is left, after its current step. */
  end(reason?: OpenEnvError): Promise<void> {
    if (!this.closed && reason && this.isOpen) this.socket.send(errorMessage(reason));
    this.closed = true;
    this.socket.close(1000);
    this.left ??= Promise.resolve(this.context.leave());
    return this.left;
  }

  private receive(data: RawData): void {
    if (this.closed) return;
    const message = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
    this.waits(1, message.length);
    void this.session
      .do(() => (this.closed ? null : this.answer(message)))
      .then((answer) => (answer === null ? undefined : this.taken(answer)))
      .finally(() => this.waits(-1, -message.length));
  }

  /** Counts waiting messages and bytes. While there are too many, nothing is read from the client. */
  private waits(messages: number, bytes: number): void {
    this.waiting += messages;
    this.waitingBytes += bytes;
    if (bytes > 0) this.context.held.add(bytes);
    else this.context.held.free(-bytes);
    const much = this.waiting >= MAXIMUM_WAITING || this.waitingBytes > MAXIMUM_WAITING_BYTES;
    if (much && !this.socket.isPaused) this.socket.pause();
    else if (!much && this.socket.isPaused) this.socket.resume();
  }

  /** Sends an answer. Resolves when it is written, or the client is gone. */
  private async taken(answer: string): Promise<void> {
    if (!this.isOpen) return;
    this.waits(0, answer.length);
    await new Promise((resolve) => this.socket.send(answer, resolve));
    this.waits(0, -answer.length);
  }

  /** Returns the answer to a message, or `null` where there is none. Never throws. */
  private async answer(message: Buffer): Promise<string | null> {
    let text: string;
    try {
      text = readText(message);
    } catch (error) {
      return problem('INVALID_JSON', `Invalid JSON: ${errorText(error)}`);
    }
    return this.context.protocol === 'mcp' ? this.answerTools(text) : this.answerMessage(text);
  }

  /** Returns the answer over `/mcp`. Never throws. */
  private async answerTools(text: string): Promise<string> {
    try {
      return writeJson(await answerRpcText(text, this.rpc));
    } catch (error) {
      return JSON.stringify(unsendable(error));
    }
  }

  /** Returns the answer over `/ws`, or `null` where there is none. Never throws. */
  private async answerMessage(text: string): Promise<string | null> {
    try {
      return await this.handle(readJson(text));
    } catch (error) {
      if (isA(error, JsonFailure)) return problem('INVALID_JSON', `Invalid JSON: ${error.message}`);
      if (isA(error, ValidationFailure)) return problem('VALIDATION_ERROR', error.message, { errors: error.problems });
      return problem('EXECUTION_ERROR', errorText(error));
    }
  }

  private async handle(message: unknown): Promise<string | null> {
    const {
      session: { runner },
      context: { contract },
    } = this;
    checkObject(message);
    const { type, data } = message as { type?: unknown; data?: any };
    switch (type) {
      case 'reset':
        checkReset(message);
        contract.checkReset(data ?? {});
        this.session.played = true;
        return writeJson({ type: 'observation', data: await runner.reset(data ?? {}) });
      case 'step':
        checkWithData(message);
        this.session.played = true;
        return writeJson({ type: 'observation', data: await runner.step(contract.checkAction(data)) });
      case 'state':
        checkBare(message);
        return writeJson({ type: 'state', data: runner.state() });
      case 'mcp':
        checkWithData(message);
        return writeJson({ type: 'mcp', data: await answerRpc(data, this.rpc) });
      case 'close':
        checkBare(message);
        // Not waited for: the end waits for this work.
        void this.end();
        return null;
      default:
        return problem(
          'UNKNOWN_TYPE',
          `Unknown message type: ${typeof type === 'string' ? type.slice(0, 200) : ''}. Valid: reset, step, state, mcp, close.`,
        );
    }
  }

  /** Returns whether the client is connected. */
  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }
}

const checkObject = validator({ type: 'object' }, 'message');
const checkReset = validator(messageSchema({ data: { type: 'object' } }, []), 'message');
const checkWithData = validator(messageSchema({ data: { type: 'object' } }, ['data']), 'message');
const checkBare = validator(messageSchema({}, []), 'message');

function messageSchema(properties: object, required: string[]): object {
  return { type: 'object', properties: { type: {}, ...properties }, required, additionalProperties: false };
}

function problem(...error: ConstructorParameters<typeof OpenEnvError>): string {
  return errorMessage(new OpenEnvError(...error));
}

/** Returns an error as a message of the protocol, in JSON. */
export function errorMessage({ code, message, details = {} }: OpenEnvError): string {
  return stringifyExact({ type: 'error', data: { message, code, ...(details as object) } });
}
