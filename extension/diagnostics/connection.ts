import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import { DIAGNOSTICS_COMM, type Diagnosis, type DiagnosticsAnswer } from '../../kernel/display/mime';

/** A request that waits to be sent; a newer one replaces it. */
interface PendingRequest {
  code: string;
  answer(problems: Diagnosis[]): void;
}

/** A notebook's comm for diagnostics of cells. One request is pending at a time: a busy kernel answers when it can. */
export class DiagnosticsConnection {
  private comm: Kernel.IComm | null = null;
  private kernel: Kernel.IKernelConnection | null = null;
  private asked: PendingRequest | null = null;
  private next: PendingRequest | null = null;
  private count = 0;

  constructor(private readonly session: ISessionContext) {}

  /** Requests the problems of a cell, in place of a request that has not been sent yet. */
  ask(code: string, answer: (problems: Diagnosis[]) => void): void {
    this.next = { code, answer };
    void this.send();
  }

  private async send(): Promise<void> {
    const kernel = this.session.session?.kernel ?? null;
    if (kernel !== this.kernel || this.comm?.isDisposed) this.forget(kernel);
    if (!kernel || this.asked || !this.next) return;
    const request = (this.asked = this.next);
    this.next = null;
    if (!this.comm && !(await this.open(kernel))) {
      this.asked = null;
      return;
    }
    this.comm?.send({ id: ++this.count, code: request.code });
  }

  /** Opens the comm. Resolves to false for other kernels, which do not know it and would log an error. */
  private async open(kernel: Kernel.IKernelConnection): Promise<boolean> {
    const info = await kernel.info;
    if (info.implementation !== 'joylab' || kernel !== this.kernel || !kernel.handleComms) return false;
    const comm = kernel.createComm(DIAGNOSTICS_COMM);
    comm.onMsg = ({ content }) => this.receive(content.data as unknown as DiagnosticsAnswer);
    comm.onClose = () => {
      if (this.comm === comm) this.forget(this.kernel);
    };
    comm.open();
    this.comm = comm;
    return true;
  }

  private receive({ id, problems }: DiagnosticsAnswer): void {
    if (id !== this.count) return;
    const request = this.asked;
    this.asked = null;
    request?.answer(problems);
    void this.send();
  }

  /** Forgets the comm: a kernel that was replaced or restarted does not know it. */
  forget(kernel: Kernel.IKernelConnection | null = null): void {
    this.kernel = kernel;
    this.comm = null;
    this.asked = null;
  }
}
