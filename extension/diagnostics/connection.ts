import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import { DIAGNOSTICS_COMM, type Diagnosis, type DiagnosticsAnswer } from '../../kernel/display/mime';

/** A question that waits for its turn: the newest alone counts. */
interface Question {
  code: string;
  answer(problems: Diagnosis[]): void;
}

/** A notebook's comm for problems of cells. One question is under way at a time: a busy kernel answers when it can. */
export class DiagnosticsConnection {
  private comm: Kernel.IComm | null = null;
  private kernel: Kernel.IKernelConnection | null = null;
  private asked: Question | null = null;
  private next: Question | null = null;
  private count = 0;

  constructor(private readonly session: ISessionContext) {}

  /** Asks what is wrong with a cell. A question that was not sent yet gives way to this one. */
  ask(code: string, answer: (problems: Diagnosis[]) => void): void {
    this.next = { code, answer };
    void this.send();
  }

  private async send(): Promise<void> {
    const kernel = this.session.session?.kernel ?? null;
    if (kernel !== this.kernel || this.comm?.isDisposed) this.forget(kernel);
    if (!kernel || this.asked || !this.next) return;
    const question = (this.asked = this.next);
    this.next = null;
    if (!this.comm && !(await this.open(kernel))) {
      this.asked = null;
      return;
    }
    this.comm?.send({ id: ++this.count, code: question.code });
  }

  /** Only Joylab's kernel knows the comm; others would complain in their logs. */
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
    const question = this.asked;
    this.asked = null;
    question?.answer(problems);
    void this.send();
  }

  /** A kernel that was replaced or started anew has forgotten the comm. */
  forget(kernel: Kernel.IKernelConnection | null = null): void {
    this.kernel = kernel;
    this.comm = null;
    this.asked = null;
  }
}
