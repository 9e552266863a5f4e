import { createExecutor, type Executor } from 'tslab/dist/executor';
import type { MimeBundle } from '../display/host';
import type { CellError, CellOutput, CellRequest, Completeness, Completion, Interpreter } from '../jupyter/interpreter';
import { Cell, currentCell, KeyboardInterrupt, runBeside, runIn } from './cell';
import { completeness } from './completeness';
import { CellCompiler, type CellSource } from './compile/compiler';
import { endsWithAssignment } from './compile/declarations';
import { createCellConverter, type ConverterSettings } from './compile/typescript';
import { prepareDirectives, type PreparedCell } from './directives';
import { completeDirective, inspectDirective } from './directives/assist';
import { describeError, typeErrors } from './errors';
import { describe } from './values';
import { Variables } from './variables';

/** What one run of the executor left. */
interface Outcome {
  ok: boolean;
  error?: unknown;
  value?: unknown;
}

/** A notebook's session: its cells run one after another in one scope. */
export class Session implements Interpreter {
  private readonly compiler: CellCompiler;
  private readonly executor: Executor;
  private readonly variables: Variables;
  private running: Cell | null = null;
  /** Counts the synchronous parts of cells. */
  private parts = 0;
  private outcome: Outcome = { ok: true };

  constructor(
    settings: ConverterSettings,
    private readonly interruptFlag: Int32Array,
  ) {
    this.compiler = new CellCompiler(createCellConverter(settings), () => Atomics.store(interruptFlag, 1, ++this.parts));
    const converters = { node: this.compiler, browser: this.compiler, close: () => this.compiler.close() };
    this.executor = createExecutor(settings.folder, converters, {
      log: (value) => (this.outcome.value = value),
      // tslab also reports diagnostics here, with more arguments: the compiler has them already.
      error: (error, ...rest) => rest.length === 0 && (this.outcome.error = error),
    });
    this.variables = new Variables(this.executor.locals);
  }

  /** Compiles something, so that the first cell finds a compiler that has run before. */
  warmUp(): void {
    this.compiler.convert('', 'const warm = await 1;\nwarm');
    Atomics.store(this.interruptFlag, 1, 0);
  }

  async execute({ code, executionCount, output }: CellRequest): Promise<CellError | null> {
    const label = `Cell [${executionCount}]`;
    const cell = new Cell(output);
    this.running = cell;
    try {
      return await runIn(cell, () => this.run(cell, { label, code, preamble: '' }));
    } catch (error) {
      const interrupted = cell.interrupted || isTermination(error);
      return describeError(interrupted ? new KeyboardInterrupt() : error, this.compiler, { label, code });
    } finally {
      this.running = null;
    }
  }

  private async run(cell: Cell, source: CellSource): Promise<CellError | null> {
    const prepared = prepareDirectives(source.code, this.compiler.declarations);
    const { ok, error, value } = await this.evaluateSource({ ...source, preamble: prepared.preamble });
    if (this.compiler.diagnostics.length > 0) return typeErrors(this.compiler.diagnostics, source.label, source.code);
    if (!ok) throw error;
    this.throwIfInterrupted(cell);
    await this.afterwards(cell, source.code, prepared, value);
    this.throwIfInterrupted(cell);
    return null;
  }

  /** The flag is up, too, while the message that brings an interrupt waits for synchronous code to end. */
  private throwIfInterrupted(cell: Cell): void {
    if (cell.interrupted || Atomics.load(this.interruptFlag, 0) !== 0) throw new KeyboardInterrupt();
  }

  /** Displays the last value and does what the cell's directives ask for; an interrupt ends it. */
  private async afterwards(cell: Cell, code: string, prepared: PreparedCell, value: unknown): Promise<void> {
    const work = async (): Promise<void> => {
      if (value !== undefined && value !== null && !endsWithAssignment(code)) cell.output.result(await describe(value));
      await prepared.apply(this.variables);
    };
    await Promise.race([work(), cell.stopped]);
  }

  private async evaluateSource(source: CellSource): Promise<Outcome> {
    const outcome: Outcome = { ok: false };
    this.outcome = outcome;
    this.compiler.begin(source);
    this.variables.mark();
    const executed = this.executor.execute(source.preamble + source.code);
    // The synchronous part is over: from here on, a signal could end nothing.
    Atomics.store(this.interruptFlag, 1, 0);
    outcome.ok = await executed;
    if (outcome.ok) this.compiler.commit();
    else this.compiler.commitAssigned((name) => this.variables.isChanged(name));
    this.variables.update();
    return outcome;
  }

  async evaluate(expression: string, output: CellOutput): Promise<MimeBundle | CellError> {
    const source = { label: 'Expression', code: `(${expression}\n)`, preamble: '' };
    const cell = new Cell(output);
    try {
      return await runBeside(cell, async () => {
        const { ok, error, value } = await this.evaluateSource(source);
        if (this.compiler.diagnostics.length > 0) return typeErrors(this.compiler.diagnostics, source.label, source.code);
        if (!ok) throw error;
        return describe(value);
      });
    } catch (error) {
      return describeError(error, this.compiler, source);
    }
  }

  complete(code: string, position: number): Completion | null {
    const directive = completeDirective(code, position, this.variables.names());
    if (directive) return directive;
    const { candidates, start, end, original } = this.executor.complete(code, position);
    const kinds = new Map(original?.entries.map((entry) => [entry.name, entry.kind as string]));
    return { matches: candidates, start, end, types: candidates.map((name) => kinds.get(name) ?? '') };
  }

  inspect(code: string, position: number): MimeBundle | null {
    const directive = inspectDirective(code, position);
    if (directive) return { 'text/plain': directive };
    const info = this.executor.inspect(code, position);
    if (!info) return null;
    const { printQuickInfo } = require('tslab/dist/inspect') as typeof import('tslab/dist/inspect');
    return { 'text/plain': printQuickInfo(info) };
  }

  isComplete(code: string): Completeness {
    return completeness(code);
  }

  interrupt(): void {
    Atomics.store(this.interruptFlag, 0, 0);
    const cell = this.running;
    if (!cell) return;
    cell.interrupt();
    void cell.stopped.catch(() => this.running === cell && this.executor.interrupt());
  }

  within(output: CellOutput, handler: () => void): void {
    runBeside(new Cell(output), handler);
  }

  /** Shows an exception that no code caught, in the cell that it belongs to. */
  reportUncaught(error: unknown): void {
    if (error instanceof KeyboardInterrupt) return;
    const { traceback } = describeError(error, this.compiler, { label: 'Cell', code: '' });
    currentCell()?.output.stream('stderr', `Uncaught in a promise or callback:\n${traceback.join('\n')}\n`);
  }

  close(): void {
    this.executor.close();
  }
}

/** What Node.js throws where SIGINT ended synchronous code; the message that says so is still on its way. */
function isTermination(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
}
