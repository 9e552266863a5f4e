import { cellContext } from '../../display/cellContext';
import type { TrainingOutput } from '../../display/training/training';
import type { RolloutEnvironment } from '../../environments/environment';
import type { Sample } from '../../rewards/sample';
import type { StepContext } from '../context';
import type { Fresh } from '../rollouts/generations';
import { openRollout, SHOWN_ROLLOUTS, shownGroup, whyWithout } from './shownGroup';

/** Newest steps whose rollouts a view can open. */
const OPEN_STEPS = 8;

/** Shows the rollouts of a run's steps: while they play, and when they are scored. */
export class ShownSteps {
  private readonly samples = new Map<number, Sample[]>();

  constructor(private readonly run: { output(): TrainingOutput; env(): RolloutEnvironment | null }) {}

  /**
   * Returns what a step does to be shown.
   *
   * @param last whether its group is the last one, which who looks later finds
   */
  of(step: number, last: boolean): Pick<StepContext, 'frames' | 'live' | 'onScored'> {
    const output = this.run.output();
    return {
      frames: () => (last || output.wantsFrames ? SHOWN_ROLLOUTS : 0),
      live: (samples, codes) =>
        output.play({
          step,
          tiles: samples
            .slice(0, SHOWN_ROLLOUTS)
            .map((sample, i) => (codes[i] === null ? { why: whyWithout(sample) } : {})),
          of: samples.length,
        }),
      onScored: (generation) => this.show(step, generation),
    };
  }

  /** Shows a scored group, whose rollouts a view can open as long as it is one of the newest. */
  private show(step: number, generation: Fresh): void {
    if (generation.played.frames.size === 0) return;
    this.samples.set(step, generation.samples);
    for (const old of this.samples.keys()) if (old <= step - OPEN_STEPS) this.samples.delete(old);
    const output = this.run.output();
    output.openRollout = (of, index) =>
      openRollout(this.samples.get(of)?.[index], this.run.env(), cellContext().signal);
    output.group(shownGroup(step, generation));
  }
}
