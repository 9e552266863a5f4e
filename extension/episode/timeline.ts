import type { EpisodeData } from '../../kernel/display/mime';

/** The numbers beside a frame. */
export interface Moment {
  /** Steps played so far. */
  step: number;
  /** Sum of the rewards so far. */
  score: number;
  /** `null` where the environment has no lives: Pong says 0 throughout. */
  lives: number | null;
  /** Name of the action that led to this frame; `null` at the reset. */
  action: string | null;
  /** Reward since the frame before this one. */
  reward: number;
}

/** A mark on the scrubber. */
export interface Mark {
  frame: number;
  kind: 'reward' | 'penalty' | 'life';
  /** What happened, in words: "step 40: +1". */
  text: string;
}

/** The numbers of an episode by frame. Frame i follows step `i × every`. */
export class Timeline {
  readonly steps: number;
  readonly hasLives: boolean;
  /** Entry i: sum of the first i rewards. */
  private readonly scores: Float64Array;

  constructor(private readonly data: EpisodeData) {
    this.steps = data.actions.length;
    this.hasLives = data.lives.some((lives) => lives > 0);
    this.scores = new Float64Array(this.steps + 1);
    for (let i = 0; i < this.steps; i++) this.scores[i + 1] = this.scores[i] + (data.rewards[i] ?? 0);
  }

  get finalScore(): number {
    return this.scores[this.steps];
  }

  /**
   * Returns the steps played at a frame. The last frame counts as the end, also when the
   * last steps have no frame of their own.
   */
  stepOf(frame: number): number {
    return frame === this.data.frameCount - 1 ? this.steps : Math.min(this.steps, frame * this.data.every);
  }

  at(frame: number): Moment {
    const step = this.stepOf(frame);
    const { actionNames, actions, lives } = this.data;
    return {
      step,
      score: this.scores[step],
      lives: this.hasLives ? ((step > 0 ? lives[step - 1] : lives[0]) ?? null) : null,
      action: step > 0 ? (actionNames[actions[step - 1]] ?? `action ${actions[step - 1]}`) : null,
      reward: frame > 0 ? this.scores[step] - this.scores[this.stepOf(frame - 1)] : 0,
    };
  }

  /** Returns the frame nearest to a step. */
  frameOf(step: number): number {
    return step >= this.steps
      ? this.data.frameCount - 1
      : Math.min(this.data.frameCount - 1, Math.floor(step / this.data.every));
  }

  /** Returns the named state at a frame, with whether it differs from the frame before. */
  stateAt(frame: number): Array<{ name: string; value: number; changed: boolean }> {
    return Object.entries(this.data.states ?? {}).map(([name, column]) => ({
      name,
      value: column[frame],
      changed: frame > 0 && column[frame] !== column[frame - 1],
    }));
  }

  /** Returns the frames with a reward, a penalty, or a lost life. */
  marks(): Mark[] {
    const marks: Mark[] = [];
    const { rewards, lives, every, frameCount } = this.data;
    for (let step = 1; step <= this.steps; step++) {
      const frame = Math.min(frameCount - 1, Math.ceil(step / every));
      const reward = rewards[step - 1];
      const text = `step ${step}: ${formatReward(reward)}`;
      if (reward > 0) marks.push({ frame, kind: 'reward', text });
      if (reward < 0) marks.push({ frame, kind: 'penalty', text });
      if (step > 1 && lives[step - 1] < lives[step - 2])
        marks.push({ frame, kind: 'life', text: `step ${step}: life lost, ${lives[step - 1]} left` });
    }
    return marks;
  }
}

/** Returns a number with at most two decimals and a true minus sign. */
export function formatNumber(value: number): string {
  return String(Math.round(value * 100) / 100).replace('-', '−');
}

/** Returns a reward with its sign; "0" for none. */
export function formatReward(value: number): string {
  if (value === 0) return '0';
  return (value > 0 ? '+' : '') + formatNumber(value);
}
