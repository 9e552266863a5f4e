import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten';
import { stateSource } from './driver';
import { Engine } from './engine';
import {
  failed,
  jsonOutcome,
  nestingMessage,
  timeoutMessage,
  type Failure,
  type Outcome,
  type Program,
  type SandboxLimits,
} from './outcome';
import { Stopwatch } from '../common/threads/processorTime';

/**
 * One strategy in a QuickJS of its own, inside a WebAssembly instance of its own: what
 * breaks it breaks nothing else. Nothing of Node.js can be reached; there is no clock,
 * no module, no timer; `Math.random` is seeded; `console` is silent. Values are copied
 * in and out, as JSON.
 *
 * #### Notes
 * Use it in a worker thread that is created with `SANDBOX_THREAD` and watched: QuickJS
 * checks the clock at every few thousand loop turns and calls, also in regular
 * expressions, but a few of its built-in functions (`indexOf` on something that claims
 * to be 2⁵³ long) never do.
 */
export class Sandbox {
  /** Seconds of the thread's processor time that calls have taken so far. */
  ownTime = 0;
  private readonly context: QuickJSContext;
  private readonly driver: QuickJSHandle;
  private readonly callWithText: QuickJSHandle;
  /** Created by the first call that needs it. */
  private callWithState: QuickJSHandle | undefined;
  /** Created by the first error that needs it. */
  private describeThrown: QuickJSHandle | undefined;
  private readonly stopwatch = new Stopwatch();
  /** Milliseconds that the running call may take. */
  private limit = Infinity;
  /** Answers that the driver gives by their number. */
  private readonly known: Outcome[] = [];
  private broken: Failure | undefined;
  /** Whether the running call was stopped because its time was over. */
  private stopped = false;
  /** Whether an exception escaped from the engine itself, which must not be reused then. */
  private engineBroken = false;
  private disposed = false;

  /** Returns the outcome of evaluating the code: `undefined`, or why it failed. */
  get opened(): Outcome {
    return this.broken ? { kind: 'failure', failure: this.broken } : { kind: 'undefined' };
  }

  /** Returns an engine for one sandbox, which releases it when it is disposed. */
  static engine({ memoryLimit }: SandboxLimits): Promise<Engine> {
    return Engine.acquire(memoryLimit);
  }

  /** Evaluates the program's top level, under the limits of a call. Where that fails, every call fails the same way. */
  constructor(
    private readonly engine: Engine,
    private readonly program: Program,
    private readonly limits: SandboxLimits,
  ) {
    this.context = engine.context;
    // What was stopped stays stopped: an async function catches even that.
    engine.interrupted = () => (this.stopped ||= this.stopwatch.exceeds(this.limit));
    this.driver = this.context.unwrapResult(
      this.context.callFunction(
        engine.driver,
        this.context.undefined,
        ...limits.randomState.map((word) => this.context.newNumber(word)),
      ),
    );
    this.callWithText = this.context.getProp(this.driver, 'call');
    this.limit = limits.callTimeLimit * 1000;
    this.broken = this.evaluate();
  }

  /**
   * Calls `strategy`.
   *
   * @param argumentsText JSON of the array of arguments
   */
  call(argumentsText: string): Outcome {
    if (this.broken) return { kind: 'failure', failure: this.broken };
    return this.guarded(() => {
      const argument = this.context.newString(argumentsText);
      const outcome = this.answerOf(this.callWithText, argument);
      argument.dispose();
      return outcome;
    });
  }

  /**
   * Calls `strategy` as {@link call} with one argument, an object of numbers, which has
   * `arrays` as arrays of numbers: several times as fast, without text. All calls of a
   * sandbox must have the same keys in the same order, and as many bytes.
   */
  callWith(state: Readonly<Record<string, number>>, arrays: Readonly<Record<string, Uint8Array>> = {}): Outcome {
    if (this.broken) return { kind: 'failure', failure: this.broken };
    return this.guarded(() => {
      this.callWithState ??= this.stateFunction(Object.keys(state), Object.entries(arrays));
      const values: QuickJSHandle[] = [];
      for (const name in state) values.push(this.context.newNumber(state[name]));
      for (const name in arrays) values.push(this.context.newArrayBuffer(arrays[name].slice().buffer));
      const outcome = this.answerOf(this.callWithState, ...values);
      for (const value of values) value.dispose();
      return outcome;
    });
  }

  /** Releases the engine. Can be called twice. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.engine.release(this.engineBroken);
    this.broken ??= { reason: 'error', message: 'the sandbox was disposed' };
  }

  private answerOf(callStrategy: QuickJSHandle, ...values: QuickJSHandle[]): Outcome {
    const result = this.context.callFunction(callStrategy, this.context.undefined, ...values);
    if (result.error) return this.escaped(result.error);
    const known = this.known[this.context.getNumber(result.value)];
    const outcome = known ?? this.read(this.context.getString(result.value));
    result.value.dispose();
    return outcome;
  }

  private stateFunction(names: string[], arrays: Array<[name: string, bytes: Uint8Array]>): QuickJSHandle {
    const { context, driver } = this;
    const make = context.unwrapResult(context.evalCode(stateSource(names, arrays), 'joylab'));
    const made = context.unwrapResult(context.callFunction(make, context.undefined, driver));
    make.dispose();
    return made;
  }

  private evaluate(): Failure | undefined {
    const outcome = this.guarded(() => {
      const result = this.context.evalCode(this.program.javascript, 'strategy');
      if (result.error) return this.escaped(result.error);
      result.value.dispose();
      const type = this.context.evalCode('typeof strategy', 'joylab');
      if (type.error) return this.escaped(type.error);
      const isFunction = this.context.getString(type.value) === 'function';
      type.value.dispose();
      if (isFunction) return { kind: 'undefined' };
      return failed('error', 'the code declares no function named "strategy"');
    });
    return outcome.kind === 'failure' ? outcome.failure : undefined;
  }

  /**
   * Runs a call inside the engine under the time limit, and counts its time. An
   * exception that escapes into JavaScript has broken the engine.
   */
  private guarded(run: () => Outcome): Outcome {
    this.stopped = this.engine.refusedMemory = false;
    this.stopwatch.start();
    try {
      return this.measured(run());
    } catch (error) {
      this.engineBroken = true;
      const outcome =
        error instanceof RangeError ? failed('error', 'too much recursion') : failed('memory', this.memoryMessage());
      this.broken = outcome.failure;
      return outcome;
    } finally {
      this.ownTime += this.stopwatch.elapsed / 1000;
    }
  }

  /** Returns the outcome with the reason that was measured here, since a strategy can throw anything. */
  private measured(outcome: Outcome): Outcome {
    const { line } = outcome.kind === 'failure' ? outcome.failure : {};
    if (this.stopped) return failed('timeout', timeoutMessage(this.limits), line);
    return this.engine.refusedMemory && outcome.kind === 'failure'
      ? failed('memory', this.memoryMessage(), line)
      : outcome;
  }

  /** Returns the outcome of an error that the driver did not catch: of the top level, of an interruption, or of memory. */
  private escaped(error: QuickJSHandle): Outcome {
    this.describeThrown ??= this.context.getProp(this.driver, 'thrown');
    const answer = this.context.callFunction(this.describeThrown, this.context.undefined, error);
    error.dispose();
    const outcome = answer.error
      ? failed('error', 'threw something that cannot be shown')
      : this.read(this.context.getString(answer.value));
    answer.dispose();
    return outcome;
  }

  private read(answer: string): Outcome {
    const text = answer.slice(1);
    const colon = text.indexOf(':');
    switch (answer[0]) {
      case 'n':
        return { kind: 'number', value: Number(text) };
      case 'j':
        return jsonOutcome(text);
      case 'k':
        return (this.known[Number(text.slice(0, colon))] = Object.freeze(jsonOutcome(text.slice(colon + 1))));
      case 'f':
        return { ...jsonOutcome(text.slice(colon + 1)), description: text.slice(0, colon) } as Outcome;
      case 'd':
        return failed('error', nestingMessage);
      case 'u':
        return { kind: 'undefined' };
      case 'x':
        return { kind: 'other', description: text };
    }
    const stackAt = colon + 1 + Number(text.slice(0, colon));
    return failed('error', JSON.parse(text.slice(colon + 1, stackAt)), this.lineOf(JSON.parse(text.slice(stackAt))));
  }

  /** Returns the source line of the innermost call in the strategy's own code. */
  private lineOf(stack: string): number | undefined {
    const place = /\bstrategy:(\d+)/.exec(stack);
    if (!place) return undefined;
    const line = Number(place[1]);
    const { lines, javascript } = this.program;
    if (lines) return lines[line] || undefined;
    return line >= 1 && line <= javascript.split('\n').length ? line : undefined;
  }

  private memoryMessage(): string {
    return `used more than ${Number((this.limits.memoryLimit / 2 ** 20).toPrecision(3))} MiB of memory`;
  }
}
