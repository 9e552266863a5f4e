import { Signal } from '@lumino/signaling';

/** What charts over the same steps share: the zoom, the cursor, smoothing. */
export class ChartSync {
  /** Emitted when one of the values below changes. */
  readonly changed = new Signal<this, 'range' | 'smoothing' | 'cursor'>(this);
  /** Emitted with the step that was clicked. */
  readonly clicked = new Signal<this, number>(this);
  private shownRange: [number, number] | null = null;
  private weight = 0;
  private step: number | null = null;

  /** The steps that are shown; `null`: all. */
  get range(): [number, number] | null {
    return this.shownRange;
  }

  set range(range: [number, number] | null) {
    if (String(range) === String(this.shownRange)) return;
    this.shownRange = range;
    this.changed.emit('range');
  }

  /** Weight of the past in the running mean, from 0 (none) to below 1. */
  get smoothing(): number {
    return this.weight;
  }

  set smoothing(weight: number) {
    if (weight === this.weight) return;
    this.weight = weight;
    this.changed.emit('smoothing');
  }

  /** The step under the pointer; `null`: none. */
  get cursor(): number | null {
    return this.step;
  }

  set cursor(step: number | null) {
    if (step === this.step) return;
    this.step = step;
    this.changed.emit('cursor');
  }
}
