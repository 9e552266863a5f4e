import { shownPath } from '../../common/shownPath';
import type { SavedCheckpoint } from '../../display/mime';
import type { TrainingOutput } from '../../display/training/training';
import { NoRoomError } from './folders';

/** The newest checkpoint of a run, and what its output says where the next finds no room. */
export class KeptCheckpoint {
  /** The checkpoint that was written or read last. */
  newest: SavedCheckpoint | null = null;

  constructor(private readonly output: () => TrainingOutput) {}

  keep(folder: string, step: number): void {
    this.newest = { folder, step };
    this.output().saved({ folder: shownPath(folder), step });
  }

  /**
   * Writes a checkpoint of a run that goes on. Where there is no room for it, the run
   * goes on all the same, its output says so, and the next one is tried.
   *
   * @returns its folder; `null` where there was no room
   */
  async attempt(save: () => Promise<string>): Promise<string | null> {
    try {
      return await save();
    } catch (error) {
      if (!(error instanceof NoRoomError)) throw error;
      const { newest } = this;
      const back = newest ? `goes back to step ${newest.step}, ${shownPath(newest.folder)}` : 'loses what was learned';
      this.output().problem(
        'checkpoint',
        `${error.problem} The run goes on, and Save or the next checkpoint tries again; a kernel that ends before ${back}.`,
      );
      return null;
    }
  }
}
