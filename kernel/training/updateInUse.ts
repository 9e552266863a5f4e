import { raceAbort } from '../common/raceAbort';
import type { UpdateFiles } from './checkpoint/files';

/**
 * The update that a run has at the moment: made when it is first needed, and
 * made again, with the state of its optimizer, when settings change or a
 * checkpoint is gone on from.
 */
export class UpdateInUse<Update extends { dispose(): Promise<void> }, Saved> {
  private update: Update | null = null;
  /** State that the next update goes on from. */
  private saved: Saved | null = null;
  /** Work that an interruption left going: what follows waits for it. */
  private leftover: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly files: Pick<UpdateFiles<Update, Saved>, 'state'>,
    private readonly create: (saved: Saved | null, signal: AbortSignal) => Promise<Update>,
  ) {}

  async get(signal: AbortSignal): Promise<Update> {
    if (!this.update) await this.interruptible(this.make(signal), signal);
    return this.update!;
  }

  /** Sets the state that the next update goes on from; `null`: from the beginning. */
  goOnFrom(saved: Saved | null): void {
    this.saved = saved;
  }

  /** Puts another update in the place of the present one, as settings hold from an update's creation. */
  async rebuild(signal: AbortSignal): Promise<void> {
    await this.leftover;
    const { update } = this;
    if (!update) return;
    this.saved = await this.files.state(update);
    this.update = null;
    await update.dispose();
    await this.make(signal);
  }

  async release(): Promise<void> {
    await this.leftover;
    const { update } = this;
    this.update = null;
    await update?.dispose();
  }

  /** Stops waiting for `work` on interruption. What comes next waits for its end. */
  interruptible<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    this.leftover = work.catch(() => {});
    return raceAbort(work, signal);
  }

  /** Waits for what an interruption left going. */
  async settled(signal: AbortSignal): Promise<void> {
    await raceAbort(this.leftover, signal);
  }

  private async make(signal: AbortSignal): Promise<void> {
    this.update = await this.create(this.saved, signal);
    this.saved = null;
  }
}
