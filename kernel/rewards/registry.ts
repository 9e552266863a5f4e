import { EventEmitter } from 'node:events';
import { host } from '../display/host';
import { recentRollouts } from './recent';
import { rescore, type Rescore } from './rescore';
import type { RewardFunction } from './sample';
import type { WeightedReward } from './scoring';

/** What happened to a registry. */
export interface RewardChange {
  kind: 'added' | 'replaced' | 'removed';
  name: string;
}

/**
 * Reward functions by name, in their order of registration. A training run
 * that was given no functions of its own uses those of {@link rewardRegistry},
 * and takes a replaced one from its next step.
 */
export class RewardRegistry {
  private readonly rewards = new Map<string, WeightedReward>();
  private readonly emitter = new EventEmitter();

  /**
   * Registers `score` under `name`; an earlier function of that name is
   * replaced and keeps its place. The registration takes effect at once. Where
   * rollouts are in memory they are then scored again, without playing, and
   * old and new are displayed side by side.
   *
   * @param options.weight factor in the sum of rewards, 1 by default
   * @returns what scoring again gave, or `null` where no rollout is in memory
   */
  register(name: string, score: RewardFunction, options: { weight?: number } = {}): Promise<Rescore | null> {
    const weight = options.weight ?? 1;
    if (typeof name !== 'string' || name.trim() === '') {
      throw new TypeError('A reward function needs a name: register("survives", survives).');
    }
    if (typeof score !== 'function') {
      throw new TypeError(`The reward "${name}" is not a function: write function ${name}({ episode }: Sample) { … }.`);
    }
    if (typeof weight !== 'number' || !Number.isFinite(weight)) {
      throw new TypeError(`The weight of the reward "${name}" must be a finite number, not ${String(weight)}.`);
    }
    const kind = this.rewards.has(name) ? 'replaced' : 'added';
    const reward: WeightedReward = { name, score, weight };
    this.rewards.set(name, reward);
    this.emitter.emit('change', { kind, name } satisfies RewardChange);
    return this.showRescore(reward);
  }

  /** Removes a function; `false` where there is none of that name. */
  unregister(name: string): boolean {
    if (!this.rewards.delete(name)) return false;
    recentRollouts.forget(name);
    this.emitter.emit('change', { kind: 'removed', name } satisfies RewardChange);
    return true;
  }

  /** Removes every function. */
  clear(): void {
    for (const name of [...this.rewards.keys()]) this.unregister(name);
  }

  get(name: string): WeightedReward | undefined {
    return this.rewards.get(name);
  }

  /** The functions in their order of registration. */
  list(): WeightedReward[] {
    return [...this.rewards.values()];
  }

  /** Calls `handler` after each change; returns a function that stops it. */
  on(event: 'change', handler: (change: RewardChange) => void): () => void {
    this.emitter.on(event, handler);
    return () => void this.emitter.off(event, handler);
  }

  private async showRescore(reward: WeightedReward): Promise<Rescore | null> {
    if (recentRollouts.sampleCount === 0) return null;
    const result = await rescore(reward, host().signal);
    host().display(result.bundle());
    return result;
  }
}

/** The reward functions of the notebook: what `@reward` cells register and `@grpo` cells train on. */
export const rewardRegistry = new RewardRegistry();
