import type { Interface } from 'node:readline';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { currentCell, runBeside, type Cell } from '../cell';
import { cancelQuestion } from '../patches/input/interface';

/** The lines that end the input: Ctrl-D, and as a terminal shows it. */
const ENDS = new Set(['\x04', '^D']);

/** The prompt for code that reads without having asked a question. */
const LABEL = 'stdin (^D ends it): ';

/** The input ended before a question was answered, for which its code would wait forever. */
class EndOfInput extends Error {
  override name = 'EndOfInput';

  constructor() {
    super('The input was ended (^D) before the question was answered.');
  }
}

/**
 * Standard input of cells: the front end is asked for each line that code waits
 * for. Code waits for one when it has asked a question with readline, or listens
 * for lines or data; and only while its cell runs. A cell runs as long as it
 * waits.
 */
export class NotebookInput extends Readable {
  readonly fd = 0;
  readonly isRaw = false;
  /** Open interfaces of readline that read from here, each with the cell that listens to its lines. */
  private readonly interfaces = new Map<Interface, Cell | null>();
  /** The cell that listens to data, other than by an interface. */
  private reader: Cell | null = null;
  private question: { cell: Cell; of: Interface } | null = null;
  /** The question that the front end has not answered yet. */
  private asking: { cell: Cell; withdrawal: AbortController } | null = null;
  private isScheduled = false;
  private changed: Array<() => void> = [];

  constructor() {
    super({ read: () => this.schedule() });
    this.on('newListener', (name: string) => {
      if (['data', 'readable', 'keypress'].includes(name)) this.reader = currentCell();
      this.schedule();
    });
  }

  [inspect.custom](): string {
    return 'NotebookInput { fd: 0 }';
  }

  /** Does nothing: there are no single keys, and libraries that read them get whole lines. */
  setRawMode(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override resume(): this {
    this.schedule();
    return super.resume();
  }

  /** Follows an interface of readline that reads from here. */
  register(face: Interface): void {
    if (this.interfaces.has(face)) return;
    this.interfaces.set(face, null);
    face.on('newListener', (name: string) => {
      if (name !== 'line') return;
      this.interfaces.set(face, currentCell());
      this.schedule();
    });
    face.once('close', () => {
      this.interfaces.delete(face);
      this.forgetQuestion(face);
    });
  }

  /** Asks the front end the question of an interface. Throws when it cannot be asked. */
  ask(face: Interface, text: string): void {
    const cell = currentCell();
    if (!cell || cell.ended)
      throw new Error('The notebook can ask only while the cell runs that asks: await the answer in the cell.');
    if (this.destroyed || this.readableEnded)
      throw new Error(
        'Standard input has ended: make another interface with createInterface({ input: process.stdin }).',
      );
    this.question = { cell, of: face };
    if (this.asking) cell.output.stream('stdout', text);
    else this.request(cell, text);
  }

  forgetQuestion(face: Interface): void {
    if (this.question?.of !== face) return;
    this.question = null;
    this.withdraw();
    this.schedule();
  }

  /** Resolves when the cell no longer waits for a line. */
  async finished(cell: Cell): Promise<void> {
    while (this.isAwaitedBy(cell)) await new Promise<void>((resolve) => this.changed.push(resolve));
  }

  /** Withdraws the question of a cell that has ended. */
  release(cell: Cell): void {
    if (this.asking?.cell === cell) this.withdraw();
    if (this.question?.cell !== cell) return;
    cancelQuestion(this.question.of);
    this.question = null;
  }

  private isAwaitedBy(cell: Cell): boolean {
    return (
      !this.destroyed &&
      !this.readableEnded &&
      (this.asking?.cell === cell || this.question?.cell === cell || this.isReadBy(cell))
    );
  }

  private isReadBy(cell: Cell): boolean {
    if (this.readableFlowing === false && this.listenerCount('readable') === 0) return false;
    for (const [face, listening] of this.interfaces)
      if (listening === cell && face.listenerCount('line') > 0) return true;
    return this.reader === cell && this.otherListeners() > 0;
  }

  /** Returns the number of listeners to data that are not readline's interfaces. */
  private otherListeners(): number {
    const faces = [...this.interfaces.keys()];
    const keys = this.listenerCount('keypress');
    const byKeys = faces.filter(({ terminal }) => terminal).length;
    // One listener makes keys of data.
    const data = this.listenerCount('data') - (faces.length - byKeys) - (keys > 0 ? 1 : 0);
    return data + keys - byKeys + this.listenerCount('readable');
  }

  /** Asks the front end for a line if code waits for one, after the code that runs now. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      const cell = [this.reader, ...this.interfaces.values()].find((it) => it && !it.ended && this.isReadBy(it));
      if (cell && !this.asking && !this.destroyed && !this.readableEnded) this.request(cell, LABEL);
      this.notify();
    });
  }

  private request(cell: Cell, prompt: string): void {
    const withdrawal = new AbortController();
    let answer: Promise<string | null>;
    try {
      answer = cell.output.line(prompt, withdrawal.signal);
    } catch (error) {
      if (this.question) throw error;
      // What the cell awaits will never arrive.
      cell.end(error);
      return void this.destroy(error as Error);
    }
    this.asking = { cell, withdrawal };
    void answer.then((text) => withdrawal.signal.aborted || runBeside(cell, () => this.answered(text)));
  }

  private withdraw(): void {
    this.asking?.withdrawal.abort();
    this.asking = null;
  }

  private answered(text: string | null): void {
    this.asking = null;
    const asked = this.question;
    this.question = null;
    if (text === null) {
      if (asked) cancelQuestion(asked.of);
    } else if (ENDS.has(text)) {
      this.push(null);
      if (asked) asked.cell.end(new EndOfInput());
    } else {
      this.push(`${text}\n`);
    }
    this.schedule();
  }

  private notify(): void {
    for (const resolve of this.changed.splice(0)) resolve();
  }
}
