import { metadataOf, type Comm, type DisplayOptions, type Host, type MimeBundle } from '../display/host';
import type { CommOpener } from '../jupyter/interpreter';
import { currentCell } from './cell';
import { encoded } from './values';

const never = new AbortController().signal;

/** The library's host in a kernel: what it displays goes to the cell that called it. */
export class KernelHost implements Host {
  constructor(private readonly comms: CommOpener) {}

  display(bundle: MimeBundle, options?: DisplayOptions): void {
    currentCell()?.output.display(encoded(bundle), { ...options, metadata: { ...metadataOf(bundle), ...options?.metadata } });
  }

  clear(wait: boolean): void {
    currentCell()?.output.clear(wait);
  }

  get signal(): AbortSignal {
    return currentCell()?.signal ?? never;
  }

  openComm(target: string, data?: object, buffers?: Uint8Array[]): Comm {
    return this.comms.open(target, data, buffers);
  }

  registerCommTarget(target: string, onOpen: (comm: Comm, data: any, buffers: Uint8Array[]) => void): void {
    this.comms.registerTarget(target, onOpen);
  }
}
