import { inKernel, repairIntrinsics, reportRepair } from '../common/intrinsics';
import type { MimeBundle } from '../display/cellContext';
import { outputsShown } from '../display/outputQueue';
import { FLAG } from '../jupyter/interrupt/flag';
import type {
  CellError,
  CellOutput,
  CellRequest,
  CommOpener,
  Completeness,
  Completion,
  Interpreter,
} from '../jupyter/interpreter';
import { complete } from './assist/complete';
import { serveDiagnostics } from './assist/diagnose';
import { inspect } from './assist/inspect';
import { serveOverview } from './overview/serve';
import { completeValue } from './assist/values';
import { Cell, currentCell, KeyboardInterrupt, runBeside, runIn, emitCellEvent } from './cell';
import { completeness } from './completeness';
import { CellCompiler, type CellSource, type Problem } from './compile/compiler';
import { isInText, isObjectLiteral, parse } from './compile/declarations';
import type { Folders } from './compile/program/options';
import { beginInput, endInput, inputFinished } from './input';
import { EnvironmentTypes } from './environmentTypes';
import { assistPreamble, prepareDirectives, runsBeside, type PreparedCell } from './directives';
import { joylabImport } from './directives/autoImport';
import { completeDirective, inspectDirective } from './directives/assist';
import { compileErrors, describeError } from './errors';
import { beginPart, endPart, noteSigint } from './interrupt/interrupts';
import { Imports } from './modules/imports';
import { LocalModules } from './modules/localModules';
import { ModuleToAwait } from './modules/moduleToAwait';
import type { SessionParts } from './patches';
import { all, replace, type Undo } from './patches/replace';
import { createExecutor, type Executor, type TslabGlobal } from './patches/tslab';
import { cellMeta, CellRuntime, type CellMeta } from './runtime';
import { SystemExit } from './systemExit';
import { describe } from './values';
import { Variables } from './variables';

/** The outcome of one run of the executor. */
interface Outcome {
  ok: boolean;
  /** What the compiler says about the source, which then did not run. */
  problems: Problem[];
  error?: unknown;
  value?: unknown;
}

/** A notebook's session: its cells run one after another in one scope; while one trains, reward cells run beside it. */
export class Session implements Interpreter {
  private readonly compiler: CellCompiler;
  private readonly executor: Executor;
  private readonly variables: Variables;
  private readonly environments: EnvironmentTypes;
  private readonly imports: Imports;
  private readonly modules: LocalModules;
  private readonly meta: CellMeta;
  private readonly tslab: TslabGlobal;
  private readonly undo: Undo[] = [];
  private running: Cell | null = null;
  /** The cell that runs beside {@link running}. */
  private beside: Cell | null = null;
  /** The controller of the signal of code that runs beside cells, such as handlers of comms; an interrupt aborts it. */
  private besides = new AbortController();
  /** By cell, the outcome of what runs of it. */
  private readonly outcomes = new WeakMap<Cell, Outcome>();

  constructor(
    private readonly folders: Folders,
    private readonly interruptFlag: Int32Array,
  ) {
    const { folder } = folders;
    const begin = () => {
      beginPart();
      // SIGINT ends only what begins now: an interrupt from before must be seen here.
      const cell = currentCell();
      if (cell) this.throwIfInterrupted(cell);
    };
    this.compiler = new CellCompiler(folders, begin, (path, text) => this.modules.addVirtual(path, text));
    this.modules = new LocalModules(() => this.compiler.notebook.service.getProgram()!.getCompilerOptions());
    // tslab's object of variables is a Proxy, on which loops of a cell are a hundred times slower.
    const scope: Record<string, unknown> = {};
    this.imports = new Imports(folder, scope, this.modules);
    this.tslab = { exports: scope, require: this.imports.require, cell: null };
    const converters = { node: this.compiler, browser: this.compiler, close: () => this.compiler.close() };
    const { executor, undo } = createExecutor(this.tslab, folder, converters, {
      log: () => {},
      // tslab also reports diagnostics here, with more arguments: the compiler has them already.
      error: (error, ...rest) => {
        const outcome = this.outcomes.get(currentCell()!);
        if (outcome && rest.length === 0) outcome.error = error;
      },
    });
    this.executor = executor;
    this.onClose(undo);
    this.meta = cellMeta(folder, this.imports.require);
    // Globals that TypeScript's declarations of Node.js have.
    this.onClose(replace(globalThis, { __dirname: this.meta.dirname, __filename: this.meta.filename }));
    this.variables = new Variables(scope);
    this.environments = new EnvironmentTypes(this.variables, this.compiler.notebook);
  }

  /** The parts that patches need. */
  get parts(): Pick<SessionParts, 'compiler' | 'modules'> {
    return { compiler: this.compiler, modules: this.modules };
  }

  /** Compiles something, so that the first cell finds a compiler that has run before. */
  warmUp(): void {
    this.compiler.begin({ label: '', code: '', preamble: '' });
    this.compiler.convert('', 'const warm = await 1;\nwarm');
    endPart();
  }

  async execute(request: CellRequest): Promise<CellError | null> {
    const { code, executionCount, output, cellId, deletedCells = [], beside } = request;
    const label = `Cell [${executionCount}]`;
    const cell = new Cell(output, new AbortController(), label, cellId, beside);
    if (beside) this.beside = cell;
    else this.running = cell;
    beginInput();
    void cell.stopped.catch(() => this.running === cell && this.executor.interrupt());
    try {
      return await (beside ? runBeside : runIn)(cell, async () => {
        if (deletedCells.length > 0) emitCellEvent({ kind: 'deleted', ids: deletedCells });
        let ok = false;
        try {
          const error = await this.run(cell, { label, code, preamble: '' });
          ok = error === null;
          return error;
        } finally {
          emitCellEvent({ kind: 'ended', cell, ok });
        }
      });
    } catch (error) {
      const interrupted = cell.interrupted || isTermination(error);
      const reason = interrupted
        ? (cell.interruption ?? new KeyboardInterrupt())
        : cell.endedBy
          ? cell.endedBy.error
          : error;
      return inKernel(() => describeError(reason, { label, code }));
    } finally {
      if (beside) this.beside = null;
      else this.running = null;
      cell.ended = true;
      endInput(cell);
      // After the reply: what the cell declared is then ready for the next one.
      setImmediate(() => inKernel(() => this.compiler.notebook.prepare()));
    }
  }

  private async run(cell: Cell, source: CellSource): Promise<CellError | null> {
    const prepared = inKernel(() => prepareDirectives(source.code, this.compiler.notebook.names()));
    const around = isObjectLiteral(source.code) ? { preamble: '(', postamble: '\n)' } : { preamble: prepared.preamble };
    const { ok, problems, error, value } = await this.evaluateSource({ ...source, ...around });
    // Who runs a notebook without a page (nbclient, papermill) hears no output of a cell that has ended.
    await outputsShown(cell.stopped);
    inKernel(() => this.environments.update());
    if (problems.length > 0) return inKernel(() => compileErrors(problems, source.label, this.folders.folder));
    if (!ok) throw error;
    this.throwIfInterrupted(cell);
    if (cell.endedBy) throw cell.endedBy.error;
    await this.afterwards(cell, prepared, value);
    this.throwIfInterrupted(cell);
    return null;
  }

  /** Throws when the cell was interrupted. The flag says so before the interrupt's message, which waits for synchronous code to end. */
  private throwIfInterrupted(cell: Cell): void {
    if (cell.interrupted || Atomics.load(this.interruptFlag, FLAG.raised) !== 0) throw new KeyboardInterrupt();
  }

  /** Displays the last value, waits for the cell's input and applies its directives; an interrupt ends that. */
  private async afterwards(cell: Cell, prepared: PreparedCell, value: unknown): Promise<void> {
    const work = async (): Promise<void> => {
      if (value !== undefined && value !== null) await showResult(cell, value);
      await inputFinished(cell);
      await prepared.apply(cell.label, this.variables, this.compiler.notebook);
      this.environments.update();
    };
    await Promise.race([work(), cell.stopped]);
  }

  /** Runs a source. It runs again once a module that it imports has been awaited, and, if it has type errors, once new types of its environments are declared. */
  private async evaluateSource(source: CellSource): Promise<Outcome> {
    await Promise.race([this.imports.refresh(), currentCell()?.stopped]);
    for (let refreshed = false; ; ) {
      const outcome = await this.executeOnce(source);
      if (outcome.problems.length > 0 && !refreshed && (refreshed = await this.environments.refresh(source.code)))
        continue;
      if (!(outcome.error instanceof ModuleToAwait)) return outcome;
      await Promise.race([this.imports.await(outcome.error), currentCell()?.stopped]);
    }
  }

  private async executeOnce(source: CellSource): Promise<Outcome> {
    const outcome: Outcome = { ok: false, problems: [] };
    this.outcomes.set(currentCell()!, outcome);
    const runtime = new CellRuntime(this.imports, this.meta);
    this.tslab.cell = runtime;
    this.compiler.begin(source);
    inKernel(() => this.variables.mark());
    const executed = this.executor.execute(source.preamble + source.code + (source.postamble ?? ''));
    this.repair();
    endPart();
    // A cell that runs beside this one is compiled before this one has ended.
    const { problems, pending } = this.compiler.end();
    outcome.problems = problems;
    outcome.ok = await executed;
    this.repair();
    if (isTermination(outcome.error)) noteSigint();
    outcome.value = runtime.value;
    inKernel(() => {
      if (pending !== null)
        this.compiler.notebook.keep(pending, outcome.ok ? () => true : (name) => this.variables.isChanged(name));
      this.variables.update();
    });
    return outcome;
  }

  /** Restores what a cell has replaced and the kernel needs, and tells the user. */
  private repair(): void {
    reportRepair(repairIntrinsics(), (text) => currentCell()?.output.stream('stderr', text));
  }

  async evaluate(expression: string, output: CellOutput): Promise<MimeBundle | CellError> {
    const source = { label: 'Expression', code: `(${expression}\n)`, preamble: '' };
    const cell = new Cell(output);
    try {
      return await runBeside(cell, async () => {
        const { ok, problems, error, value } = await this.evaluateSource(source);
        if (problems.length > 0) return compileErrors(problems, source.label, this.folders.folder);
        if (!ok) throw error;
        return (await describe(value)).data;
      });
    } catch (error) {
      return describeError(error, source);
    }
  }

  complete(code: string, position: number): Completion | null {
    const { notebook } = this.compiler;
    return (
      completeDirective(code, position, this.variables.names()) ??
      complete(notebook, code, position, assistPreamble(code, notebook.names())) ??
      (isInText(code, position) ? null : completeValue(this.variables, code, position))
    );
  }

  inspect(code: string, position: number, detail: 0 | 1): MimeBundle | null {
    const { notebook } = this.compiler;
    const known =
      inspectDirective(code, position) ??
      inspect(notebook, code, position, assistPreamble(code, notebook.names()), detail);
    // Exports of joylab have documentation before they are imported, too.
    return known ?? inspect(notebook, code, position, joylabImport(parse(code), new Set(notebook.names())), detail);
  }

  /** Answers front ends that ask for the errors of a cell. */
  serveDiagnostics(comms: CommOpener): void {
    serveDiagnostics(comms, this.compiler.notebook);
  }

  /** Answers side panels. */
  serveOverview(comms: CommOpener): void {
    serveOverview(comms, this.variables);
  }

  isComplete(code: string): Completeness {
    return completeness(code);
  }

  runsBeside(code: string): boolean {
    return runsBeside(code);
  }

  interrupt(): void {
    Atomics.store(this.interruptFlag, FLAG.raised, 0);
    this.besides.abort(new KeyboardInterrupt());
    this.besides = new AbortController();
    // Who stops a reward cell that does not end wants the training to go on; a second interrupt is for that.
    const cell = this.beside && !this.beside.interrupted ? this.beside : this.running;
    cell?.interrupt(Atomics.load(this.interruptFlag, FLAG.count));
  }

  within(output: CellOutput, handler: () => void): void {
    runBeside(new Cell(output, this.besides), handler);
  }

  /** Shows an exception that no code caught, in the cell that it belongs to. */
  reportUncaught(error: unknown): void {
    if (error instanceof KeyboardInterrupt || error instanceof SystemExit || currentCell()?.endedBy?.error === error)
      return;
    const { traceback } = inKernel(() => describeError(error, { label: 'Cell', code: '' }));
    currentCell()?.output.stream('stderr', `Uncaught in a promise or callback:\n${traceback.join('\n')}\n`);
  }

  /** Calls `undo` when the session is closed, in reverse order. */
  onClose(undo: Undo): void {
    this.undo.push(undo);
  }

  close(): void {
    this.executor.close();
    all(this.undo)();
  }
}

/** Shows the value of a cell, unless its bundle is empty. */
async function showResult(cell: Cell, value: unknown): Promise<void> {
  const { data, metadata } = await inKernel(() => describe(value));
  if (Object.keys(data).length > 0) cell.output.result(data, metadata);
}

/** Returns whether an error is that of synchronous code which SIGINT has ended. The interrupt's message may arrive later. */
function isTermination(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
}
