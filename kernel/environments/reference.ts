/**
 * Returns of play without skill in an environment, and of a human: the scale on
 * which returns are judged. It is plain data, which samples have as `reference`,
 * so that rewards are functions of records wherever they are computed.
 */
export interface ReferenceReturns {
  /** Steps of an episode, at most. */
  maxSteps: number;
  /** Random legal actions: mean return, and its standard deviation between episodes. */
  chance: { mean: number; std: number };
  /** Always the same action: the mean return of each, the best first. Empty when there are too many to try each. */
  constants: Array<{ action: string; mean: number }>;
  /** A human's mean return in whole games of any length, and its source. */
  human?: HumanReturn;
}

/** A human's mean return, and the publication that it is from. */
export interface HumanReturn {
  mean: number;
  source: string;
}
