import { inKernel, repairIntrinsics, reportRepair } from '../common/intrinsics';
import type { MimeBundle } from '../display/cellContext';
import { Comms } from './comms';
import { awaitAnswer, createAnswer } from './input';
import type { CellError, CellOutput, CommOpener, Interpreter } from './interpreter';
import type { Header } from './message';
import { toCodePoints, toUtf16 } from './positions';
import type { Outbox } from './outbox';
import { BROKEN_REPLY, COMM_MESSAGES, type ToMain } from './protocol';
import { ShownOutputs } from './shownOutputs';

type Request = ToMain & { type: 'request' };

/** The original, which a cell may replace. */
const { stringify } = JSON;

/** A reply's content. */
type Reply = Record<string, unknown> & { status: 'ok' | 'error' };

/** Creates the interpreter of a kernel. */
export type InterpreterFactory = (comms: CommOpener) => Interpreter;

/** The main thread's side of the protocol: passes each request to the interpreter and posts its output and its reply. */
export class Kernel {
  private readonly comms: Comms;
  private readonly interpreter: Interpreter;
  /** Header of the request whose handler runs: the parent of comm messages. */
  private parent: Header | null = null;
  /** Handlers of the front end's answers, by the question's number. */
  private readonly answers = new Map<number, (text: string | null) => void>();
  private questions = 0;

  constructor(
    private readonly outbox: Outbox,
    createInterpreter: InterpreterFactory,
  ) {
    this.comms = new Comms((message, content, buffers, metadata) => {
      const { parent } = this;
      this.outbox.post({
        type: 'publish',
        message,
        content: stringify(content),
        metadata: metadata && stringify(metadata),
        parent,
        buffers,
      });
    });
    this.interpreter = createInterpreter(this.comms);
  }

  interrupt(): void {
    this.interpreter.interrupt();
  }

  /** Passes on the front end's answer to a question. */
  answered({ input, text }: ToMain & { type: 'answer' }): void {
    this.answers.get(input)?.(text);
    this.answers.delete(input);
  }

  /** Answers whether a queued cell may run beside the one that runs. */
  admit({ id, code }: ToMain & { type: 'admit' }): void {
    if (inKernel(() => this.interpreter.runsBeside(code))) this.outbox.post({ type: 'admitted', id });
  }

  close(): void {
    this.interpreter.close();
  }

  /** Handles one request and ends it with a reply, whatever happens. */
  async handle(request: Request): Promise<void> {
    // Code that ran since the last request may have replaced what the kernel needs.
    const repair = repairIntrinsics();
    const type = request.header.msg_type;
    if (COMM_MESSAGES[type]) {
      this.handleComm(request);
      return this.outbox.post({ type: 'reply', id: request.id, content: null, status: 'ok' });
    }
    let content: string;
    let status: Reply['status'] = 'error';
    try {
      if (type === 'execute_request') reportRepair(repair, (text) => this.outbox.write('stderr', text, request.header));
      const reply = await this.answer(request);
      repairIntrinsics();
      content = stringify(reply);
      status = reply.status;
    } catch (error) {
      content = this.failure(error, request);
    }
    this.outbox.post({ type: 'reply', id: request.id, content, status });
  }

  /** Returns the reply's content, as JSON, when the kernel itself failed. */
  private failure(error: unknown, request: Request): string {
    repairIntrinsics();
    try {
      const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
      const content: CellError = { ename: name, evalue: message, traceback: [stack ?? message] };
      if (request.header.msg_type === 'execute_request') this.publish(request.header, 'error', content);
      return stringify({ status: 'error', ...content });
    } catch {
      return BROKEN_REPLY;
    }
  }

  private answer(request: Request): Promise<Reply> | Reply {
    switch (request.header.msg_type) {
      case 'execute_request':
        return this.execute(request);
      case 'complete_request':
        return inKernel(() => this.complete(request.content));
      case 'inspect_request':
        return inKernel(() => this.inspect(request.content));
      case 'is_complete_request':
        return this.interpreter.isComplete(text(request.content.code)) as unknown as Reply;
      default:
        return { status: 'ok', ...this.comms.info(request.content.target_name) };
    }
  }

  private async execute(request: Request): Promise<Reply> {
    const code = text(request.content.code);
    const silent = request.content.silent === true;
    const { executionCount, beside } = request;
    if (!beside) this.parent = request.header;
    const payload: object[] = [];
    const output = this.output(request, silent, payload);
    const { cellId, deletedCells } = request.metadata;
    const error = await this.interpreter.execute({
      code,
      executionCount,
      silent,
      output,
      beside,
      cellId: typeof cellId === 'string' && cellId !== '' ? cellId : undefined,
      deletedCells: Array.isArray(deletedCells) ? deletedCells.map(String) : [],
    });
    if (error) {
      // A cell that paused has nothing to show: its reply keeps the cells behind it from running.
      if (!silent && error.traceback.length > 0) this.publish(request.header, 'error', error);
      return { status: 'error', execution_count: executionCount, ...error };
    }
    const expressions = await this.evaluateAll(request.content.user_expressions, output);
    return { status: 'ok', execution_count: executionCount, user_expressions: expressions, payload };
  }

  private async evaluateAll(expressions: unknown, output: CellOutput): Promise<Record<string, unknown>> {
    const results: Record<string, unknown> = {};
    for (const [name, expression] of Object.entries(expressions ?? {})) {
      const value = await this.interpreter.evaluate(String(expression), output);
      results[name] = isError(value) ? { status: 'error', ...value } : { status: 'ok', data: value, metadata: {} };
    }
    return results;
  }

  private complete(content: Record<string, any>): Reply {
    const code = text(content.code);
    const position = toUtf16(code, cursor(content, code));
    const completion = this.interpreter.complete(code, position) ?? { matches: [], start: position, end: position };
    const [start, end] = [toCodePoints(code, completion.start), toCodePoints(code, completion.end)];
    const metadata = completion.types && {
      _jupyter_types_experimental: completion.matches.map((text, i) => ({
        text,
        type: completion.types![i],
        start,
        end,
      })),
    };
    return {
      status: 'ok',
      matches: completion.matches,
      cursor_start: start,
      cursor_end: end,
      metadata: metadata ?? {},
    };
  }

  private inspect(content: Record<string, any>): Reply {
    const code = text(content.code);
    const data = this.interpreter.inspect(
      code,
      toUtf16(code, cursor(content, code)),
      content.detail_level === 1 ? 1 : 0,
    );
    return { status: 'ok', found: data !== null, data: data ?? {}, metadata: {} };
  }

  private handleComm(request: Request): void {
    const output = this.output(request, false);
    this.interpreter.within(output, () => {
      const parent = this.parent;
      this.parent = request.header;
      try {
        this.comms.receive(request.header.msg_type, request.content, request.buffers);
      } catch (error) {
        output.stream('stderr', `${error instanceof Error ? error.stack : String(error)}\n`);
      } finally {
        this.parent = parent;
      }
    });
  }

  private output(request: Request, silent: boolean, payload: object[] = []): CellOutput {
    const parent = request.header;
    const shown = new ShownOutputs((type, content) => this.publish(parent, type, content));
    return {
      stream: (name, text) => {
        shown.stream(name, text);
        this.outbox.write(name, text, parent);
      },
      display: (data, { displayId, update, metadata = {} } = {}) => {
        const transient = displayId === undefined ? {} : { display_id: displayId };
        shown.publish(update ? 'update_display_data' : 'display_data', { data, metadata, transient });
      },
      withdraw: (displayId) => shown.withdraw(displayId),
      result: (data, metadata = {}) => {
        if (!silent) shown.publish('execute_result', { data, metadata, execution_count: request.executionCount });
      },
      clear: (wait) => shown.clear(wait),
      page: (data) => payload.push({ source: 'page', data, start: 0 }),
      admit: (on) => this.outbox.post({ type: 'admits', id: request.id, on }),
      runChild: (child) => {
        shown.unknown();
        return this.outbox.runChild(child, parent);
      },
      input: (prompt, password) => {
        const answer = createAnswer();
        this.ask(request, { prompt, password, answer });
        return awaitAnswer(answer);
      },
      line: (prompt, signal) => {
        const input = this.ask(request, { prompt, password: false, answer: null });
        signal.addEventListener('abort', () => this.outbox.post({ type: 'withdraw', input }), { once: true });
        return new Promise((resolve) => this.answers.set(input, resolve));
      },
    };
  }

  /** Asks the front end; returns the question's number. */
  private ask(
    request: Request,
    question: { prompt: string; password: boolean; answer: SharedArrayBuffer | null },
  ): number {
    if (request.content.allow_stdin !== true) throw new StdinNotImplementedError();
    this.outbox.post({ type: 'input', id: request.id, input: ++this.questions, ...question });
    return this.questions;
  }

  /** Returns the number of characters. */
  private publish(parent: Header, message: string, content: object): number {
    const text = stringify(content);
    this.outbox.post({ type: 'publish', message, content: text, parent });
    return text.length;
  }
}

/** Code asks for a line of text, and the front end cannot ask its user. The name is ipykernel's. */
class StdinNotImplementedError extends Error {
  override name = 'StdinNotImplementedError';

  constructor() {
    super('This front end cannot ask for input (allow_stdin is false). Assign the value in the cell instead.');
  }
}

function isError(value: MimeBundle | CellError): value is CellError {
  return Array.isArray((value as CellError).traceback);
}

function cursor(content: Record<string, any>, code: string): number {
  return typeof content.cursor_pos === 'number' ? content.cursor_pos : code.length;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
