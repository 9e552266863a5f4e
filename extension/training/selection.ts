import { Signal } from '@lumino/signaling';

/** A step of a run that the user wants to look into; with `rollout`, one of its rollouts by its index among the step's samples. */
export interface Selection {
  runId: string;
  step: number;
  rollout?: number;
  /** The training view. */
  view: HTMLElement;
}

/** Emitted when a point of a chart, a step of the table or a tile of the group is clicked. */
export const selected = new Signal<object, Selection>({});
