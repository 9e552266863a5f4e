import {
  metadataOf,
  type CellEvent,
  type CellRun,
  type Comm,
  type DisplayOptions,
  type CellContext,
  type MimeBundle,
} from '../display/cellContext';
import type { CommOpener } from '../jupyter/interpreter';
import { WatchdogError } from '../common/threads/watchdog';
import { currentCell, onCell } from './cell';
import { describeError } from './errors';
import { beginPart, endPart, interruptCount, noteSigint, throwIfInterrupted } from './interrupt/interrupts';
import { encoded } from './values';

const never = new AbortController().signal;

/** The context of cells in a kernel: what the library displays goes to the cell that called it. */
export class KernelContext implements CellContext {
  constructor(private readonly comms: CommOpener) {}

  display(bundle: MimeBundle, options?: DisplayOptions): void {
    currentCell()?.output.display(encoded(bundle), {
      ...options,
      metadata: { ...metadataOf(bundle), ...options?.metadata },
    });
  }

  withdraw(displayId: string): void {
    currentCell()?.output.withdraw(displayId);
  }

  clear(wait: boolean): void {
    currentCell()?.output.clear(wait);
  }

  get signal(): AbortSignal {
    return currentCell()?.signal ?? never;
  }

  get cell(): CellRun | null {
    return currentCell();
  }

  onCell(handler: (event: CellEvent) => void): void {
    onCell(handler);
  }

  async admitRewards<Result>(work: () => Promise<Result>): Promise<Result> {
    const cell = currentCell();
    cell?.admit(true);
    try {
      return await work();
    } finally {
      cell?.admit(false);
    }
  }

  describeError(error: unknown): string {
    return describeError(error, { label: 'Cell', code: '' }).traceback.join('\n');
  }

  computation(): (part: () => void) => void {
    const began = interruptCount();
    return (part) => {
      beginPart();
      try {
        // SIGINT is for what begins now: an interrupt from before has to be seen here.
        throwIfInterrupted(began);
        part();
      } catch (error) {
        if (error instanceof WatchdogError && error.reason === 'interrupt') noteSigint();
        throw error;
      } finally {
        endPart();
      }
    };
  }

  openComm(target: string, data?: object, buffers?: Uint8Array[], metadata?: object): Comm {
    return this.comms.open(target, data, buffers, metadata);
  }

  registerCommTarget(target: string, onOpen: (comm: Comm, data: any, buffers: Uint8Array[]) => void): void {
    this.comms.registerTarget(target, onOpen);
  }
}
