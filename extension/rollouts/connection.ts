import { ServerConnection, type Kernel, type ServiceManager } from '@jupyterlab/services';
import {
  ROLLOUTS_COMM,
  type FoundRollouts,
  type RelatedRollouts,
  type ReplayData,
  type RolloutData,
  type RolloutRow,
  type RolloutsAnswer,
  type RolloutsRequest,
  type RunData,
  type RunSummary,
} from '../../kernel/display/rollouts';

/** Milliseconds that the notebook's kernel has for its first answer: cells may keep it from answering. */
const PATIENCE = 3000;
/** The same for a kernel that starts. */
const START = 30_000;

/** An episode that was played again, with its deflated frames. */
export interface Replayed {
  data: ReplayData;
  frames: Uint8Array;
}

type Unnumbered<Request> = Request extends unknown ? Omit<Request, 'id'> : never;
interface Answer {
  result: any;
  buffers: Uint8Array[];
}
interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/**
 * Reads a file of rollouts: through the notebook's kernel where that answers, else
 * through a kernel that is started for it and ends with it.
 */
export class RolloutsConnection {
  private comm: Kernel.IComm | null = null;
  private opening: Promise<Kernel.IComm> | null = null;
  private own: Kernel.IKernelConnection | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;
  private disposed = false;
  private readonly onLeave = () => this.endOwn(true);

  /** @param notebookKernel returns the kernel of the notebook, where it has one */
  constructor(
    private readonly services: ServiceManager.IManager,
    private readonly place: { notebook: string; database: string },
    private readonly notebookKernel: () => Kernel.IKernelConnection | null,
  ) {
    window.addEventListener('pagehide', this.onLeave);
  }

  async runs(): Promise<RunSummary[]> {
    return (await this.ask({ method: 'runs' })).result;
  }

  async run(run: string): Promise<RunData> {
    return (await this.ask({ method: 'run', run })).result;
  }

  async group(run: string, step: number): Promise<RolloutRow[]> {
    return (await this.ask({ method: 'group', run, step })).result;
  }

  async rollout(rollout: number): Promise<RolloutData> {
    return (await this.ask({ method: 'rollout', rollout })).result;
  }

  async related(rollout: number): Promise<RelatedRollouts> {
    return (await this.ask({ method: 'related', rollout })).result;
  }

  async search(run: string, text: string): Promise<FoundRollouts> {
    return (await this.ask({ method: 'search', run, text })).result;
  }

  /** Plays the episode of a rollout again. @param options with `lines`, also which line decided each step */
  async replay(rollout: number, options: { lines?: boolean; every?: number } = {}): Promise<Replayed> {
    const { result, buffers } = await this.ask({ method: 'replay', rollout, ...options });
    return { data: result, frames: buffers[0] };
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    window.removeEventListener('pagehide', this.onLeave);
    if (this.comm && !this.comm.isDisposed) this.comm.close();
    this.drop('The view was closed.');
    this.endOwn(false);
  }

  private async ask(request: Unnumbered<RolloutsRequest>): Promise<Answer> {
    const first = this.comm === null && this.own === null;
    const comm = await this.open();
    const answer = this.send(comm, request);
    if (!first || this.own) return answer;
    const late = new Promise<null>((resolve) => window.setTimeout(() => resolve(null), PATIENCE));
    const early = await Promise.race([answer, late]);
    if (early) return early;
    answer.catch(() => undefined);
    this.drop('The kernel is busy.');
    return this.send(await this.open(true), request);
  }

  private send(comm: Kernel.IComm, request: Unnumbered<RolloutsRequest>): Promise<Answer> {
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      comm.send({ ...request, id } as never);
    });
  }

  /** @param apart in a kernel of its own */
  private open(apart = this.own !== null): Promise<Kernel.IComm> {
    if (this.comm && !this.comm.isDisposed && this.isAlive()) return Promise.resolve(this.comm);
    if (this.comm) this.drop('The kernel ended.');
    this.opening ??= this.connect(apart).finally(() => (this.opening = null));
    return this.opening;
  }

  private isAlive(): boolean {
    return this.own !== null ? !this.own.isDisposed : this.notebookKernel() !== null;
  }

  private async connect(apart: boolean): Promise<Kernel.IComm> {
    const kernel = (apart ? null : await this.answering()) ?? (await this.start());
    const comm = kernel.createComm(ROLLOUTS_COMM);
    // No promise may be returned here: it would hold up all messages of the kernel.
    comm.onMsg = ({ content, buffers = [] }) =>
      this.receive(content.data as unknown as RolloutsAnswer, buffers.map(toBytes));
    comm.onClose = () => {
      if (this.comm === comm) this.drop('The kernel ended the connection.');
    };
    comm.open({ database: this.place.database });
    kernel.statusChanged.connect((_, status) => {
      if (this.comm === comm && (status === 'restarting' || status === 'autorestarting' || status === 'dead'))
        this.drop('The kernel ended.');
    });
    return (this.comm = comm);
  }

  /** Returns the notebook's kernel, where it is one that knows the comm. */
  private async answering(): Promise<Kernel.IKernelConnection | null> {
    const kernel = this.notebookKernel();
    if (!kernel?.handleComms || kernel.isDisposed || ['dead', 'terminating', 'restarting'].includes(kernel.status))
      return null;
    // One that starts is sooner there than another would be.
    const patience = kernel.status === 'starting' || kernel.status === 'unknown' ? START : PATIENCE;
    const info = await Promise.race([
      kernel.info,
      new Promise<null>((resolve) => window.setTimeout(() => resolve(null), patience)),
    ]);
    return info?.implementation === 'joylab' ? kernel : null;
  }

  private async start(): Promise<Kernel.IKernelConnection> {
    const { kernels, kernelspecs } = this.services;
    await kernelspecs.ready;
    const names = Object.keys(kernelspecs.specs?.kernelspecs ?? {});
    const name = names.find((one) => one === 'joylab') ?? names.find((one) => one.startsWith('joylab'));
    if (!name) throw new Error('There is no Joylab kernel on this server to read it with.');
    // With the notebook's path it works in the notebook's folder.
    this.own = await kernels.startNew({ name, path: this.place.notebook } as { name: string });
    if (this.disposed) this.endOwn(false);
    return this.own;
  }

  private receive(answer: RolloutsAnswer, buffers: Uint8Array[]): void {
    const waiting = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve({ result: answer.result, buffers });
  }

  private drop(reason: string): void {
    this.comm = null;
    for (const { reject } of this.waiting.values()) reject(new Error(reason));
    this.waiting.clear();
  }

  /** @param leaving the page ends: the request has to outlive it */
  private endOwn(leaving: boolean): void {
    const { own } = this;
    this.own = null;
    if (!own) return;
    if (!leaving) return void own.shutdown().catch(() => undefined);
    const settings = ServerConnection.makeSettings();
    const address = `${settings.baseUrl}api/kernels/${own.id}`;
    void ServerConnection.makeRequest(address, { method: 'DELETE', keepalive: true }, settings).catch(() => undefined);
  }
}

function toBytes(buffer: ArrayBuffer | ArrayBufferView): Uint8Array {
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer)
    : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
