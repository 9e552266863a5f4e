import type { MimeBundle } from '../../display/cellContext';
import type { Sample } from '../sample';
import type { RewardError, SampleFailure, WeightedReward } from '../scoring';
import { comparisonBundle } from './bundle';
import { comparisonData } from './data';
import { offerFrames } from './frames';

/** One sample before and after a reward function was replaced. */
export interface RescoredSample {
  sample: Sample;
  /** Its reward before; `null` where the function does not apply, `undefined` where there was no such function. */
  before: number | null | undefined;
  /** Its reward now; `null` also where the function failed. */
  after: number | null;
  /** The sample's advantage from all functions before; `undefined` where it had none. */
  advantageBefore: number | undefined;
  advantageAfter: number;
  /** Why the function could not score the sample. */
  failure?: SampleFailure;
}

/** Summary of the rewards of all samples. */
export interface RescoreSummary {
  /** Mean and standard deviation of the function's rewards. */
  mean: number;
  std: number;
  /** Mean of the weighted sum of all functions. */
  reward: number;
  /** Number of groups whose samples all have the same sum: they give no training signal. */
  groupsWithoutSpread: number;
}

/** The last rollouts scored again with one function: old and new rewards. */
export class Rescore {
  readonly rewardName: string;

  constructor(
    readonly reward: WeightedReward,
    /** Samples, newest step first, including those that could not be scored; empty where none could. */
    readonly samples: RescoredSample[],
    readonly groups: number,
    readonly before: RescoreSummary,
    readonly after: RescoreSummary,
    /** Why the new function could not score some or all of them. */
    readonly error: RewardError | null = null,
    /** The function's weight before; undefined where there was no such function. */
    readonly weightBefore?: number,
  ) {
    this.rewardName = reward.name;
  }

  /** Whether the function's weight has changed. */
  get isReweighed(): boolean {
    return this.weightBefore !== undefined && this.weightBefore !== this.reward.weight;
  }

  /** Whether anything differs from before. */
  get changed(): boolean {
    return this.error !== null || this.isReweighed || this.samples.some(({ before, after }) => before !== after);
  }
}

/** A sample under the functions before and now: each pair is before, after. */
export interface ComparedSample {
  sample: Sample;
  /** Samples of its group. */
  groupSize: number;
  /** The weighted sum of all functions; `null` where none applies, or one failed. */
  sum: [number | null, number | null];
  /** The rank of its sum in its group, from 1. */
  rank: [number | null, number | null];
  advantage: [number | null, number | null];
}

/** The last rollouts scored again with functions that were registered together. */
export class Comparison {
  readonly groups: number;
  /** Replaces the kept rewards by the new ones. */
  readonly keep: () => void;

  constructor(
    readonly functions: readonly Rescore[],
    readonly samples: readonly ComparedSample[],
    { groups, keep }: { groups: number; keep(): void },
  ) {
    this.groups = groups;
    this.keep = keep;
  }

  /** The first function that is broken; `null`: none is. */
  get error(): RewardError | null {
    return this.functions.find(({ error }) => error?.isBroken)?.error ?? null;
  }

  /** Returns what changed as a MIME bundle: for the extension, and as `text/html` and `text/plain`. */
  bundle(): MimeBundle {
    return comparisonBundle(comparisonData(this, offerFrames(this)));
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return this.bundle();
  }
}
