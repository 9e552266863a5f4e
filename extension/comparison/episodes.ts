import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { EpisodeData } from '../../kernel/display/mime';
import { COMPARISON_COMM, type ComparisonAnswer } from '../../kernel/display/rewardsMime';
import { toBytes } from '../training/connection';

/** An episode that the kernel has played again. */
export interface PlayedAgain {
  episode: EpisodeData;
  frames: Uint8Array;
}

/** Asks the kernel for the episodes of a comparison, with their frames. */
export class ComparedEpisodes {
  private comm: Kernel.IComm | null = null;
  private readonly waiting = new Map<number, (answer: PlayedAgain | { error: string } | null) => void>();

  constructor(
    private readonly session: ISessionContext,
    private readonly id: string,
  ) {}

  /** Resolves to the episode of a rollout, or to why there is none; `null` where no kernel has the comparison. */
  async ask(index: number): Promise<PlayedAgain | { error: string } | null> {
    const comm = await this.open();
    if (!comm) return null;
    return new Promise((resolve) => {
      this.waiting.set(index, resolve);
      comm.onClose = () => {
        this.comm = null;
        for (const answer of this.waiting.values()) answer(null);
        this.waiting.clear();
      };
      comm.send({ index });
    });
  }

  dispose(): void {
    try {
      this.comm?.close();
    } catch {
      // The kernel's connection was closed before.
    }
    this.comm = null;
  }

  private async open(): Promise<Kernel.IComm | null> {
    await this.session.ready;
    const kernel = this.session.session?.kernel;
    if (this.comm && !this.comm.isDisposed) return this.comm;
    if (!kernel?.handleComms) return null;
    const { implementation } = await kernel.info;
    if (implementation !== 'joylab') return null;
    const comm = (this.comm = kernel.createComm(COMPARISON_COMM));
    // No promise may be returned here: it would hold up all messages of the kernel.
    comm.onMsg = ({ content, buffers = [] }) => {
      const answer = content.data as unknown as ComparisonAnswer;
      const resolve = this.waiting.get(answer.index);
      this.waiting.delete(answer.index);
      if ('error' in answer) resolve?.(answer);
      else resolve?.({ episode: answer.episode, frames: toBytes(buffers[0]) });
    };
    comm.open({ id: this.id });
    return comm;
  }
}
