import { mean } from '../../common/statistics';
import { didNotPlay, type Sample } from '../../rewards/sample';
import { weightedSum } from '../../rewards/scoring';
import type { Fresh } from '../rollouts/generations';

/** A rollout that a report shows. */
export interface Highlight {
  /** From 1. */
  step: number;
  sample: Sample;
  reward: number | null;
  rewards: Record<string, number | null>;
}

/** How the rollouts of a step have played. */
export interface StepPlay {
  step: number;
  rollouts: number;
  played: number;
  /** Mean and best return of those that played; NaN where none did. */
  meanReturn: number;
  bestReturn: number;
}

/** Newest steps whose best rollouts are kept. */
const KEPT = 10;

/** What a report shows of the rollouts of a run: a typical one of the first step, the best one of each of the last, and how each step has played. */
export class Highlights {
  first: Highlight | null = null;
  plays: StepPlay[] = [];
  private best: Highlight[] = [];

  /** Returns the best rollout of the last `steps` steps. */
  bestOf(steps: number): Highlight | null {
    const from = (this.plays.at(-1)?.step ?? 0) - steps;
    const late = this.best.filter(({ step }) => step > from);
    return late.reduce<Highlight | null>((a, b) => (a && rank(a) > rank(b) ? a : b), null);
  }

  /** Takes the rollouts that a step has made. @param step from 1 */
  keep(step: number, generations: readonly Fresh[]): void {
    const rollouts = generations.flatMap(({ samples, table }) => {
      const sums = weightedSum(table);
      return samples.map((sample, i) => ({
        step,
        sample,
        reward: sums[i] ?? null,
        rewards: Object.fromEntries(table.names.map((name, f) => [name, table.values[f][i]])),
      }));
    });
    if (rollouts.length === 0) return;
    const played = rollouts.filter(({ sample }) => sample.episode !== null);
    const ranked = [...played].sort((a, b) => rank(a) - rank(b));
    this.first ??= ranked[ranked.length >> 1] ?? null;
    const top = ranked.at(-1);
    if (top) this.best = [...this.best, top].slice(-KEPT);
    const returns = played.map(({ sample }) => sample.episode!.return);
    this.plays.push({
      step,
      rollouts: rollouts.length,
      played: rollouts.filter(({ sample }) => !didNotPlay(sample)).length,
      meanReturn: mean(returns),
      bestReturn: returns.reduce((a, b) => Math.max(a, b), returns.length > 0 ? -Infinity : Number.NaN),
    });
  }

  clear(): void {
    this.first = null;
    this.plays = [];
    this.best = [];
  }
}

function rank({ reward }: Highlight): number {
  return reward ?? -Infinity;
}
