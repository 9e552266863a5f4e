import type { Sample } from '../../rewards/sample';
import type { WeightedReward } from '../../rewards/scoring';
import type { ResolvedConfig } from '../config';
import type { Scored } from './evaluations';
import { ProgramSearch, type SavedSearch } from './search';
import { rewardChanges, rewardSignature } from '../rewardFuncs';

/** A search in a checkpoint. */
export interface SavedRunSearch extends SavedSearch {
  /** Signature of the reward functions that fitness comes from. */
  rewards: string;
}

/** The search of a run after its newest step, and the reward functions that its fitness comes from. */
export class RunSearch {
  /** `null`: none has begun. */
  private search: ProgramSearch | null = null;
  /** The functions, or, of a search that was loaded, their signature. */
  private rewards: WeightedReward[] | string = [];

  /** The search; `null` before the first generation. */
  get programs(): ProgramSearch | null {
    return this.search;
  }

  /** Returns the search; starts one when there is none. */
  at({ refinement, seed }: ResolvedConfig): ProgramSearch {
    return (this.search ??= ProgramSearch.start({ ...refinement!, seed }));
  }

  /** Sets the search after a step has learned from a generation, or after the validation. */
  moveOn(after: ProgramSearch): void {
    this.search = after;
  }

  /** Takes fitness from these functions: when they differ from those before, scores the episodes in memory again. */
  async follow(rewards: WeightedReward[], score: (samples: Sample[]) => Promise<Scored[]>): Promise<void> {
    if (this.search && this.areOthers(rewards)) this.search = await this.search.rescored(score);
    this.rewards = rewards;
  }

  private areOthers(rewards: WeightedReward[]): boolean {
    if (typeof this.rewards === 'string') return this.rewards !== rewardSignature(rewards);
    return this.rewards.length > 0 && rewardChanges(this.rewards, rewards) !== '';
  }

  /** Continues under other settings; without refinement, ends the search. */
  configure({ refinement, seed }: ResolvedConfig): void {
    this.search = refinement && this.search && this.search.withSettings({ ...refinement, seed });
  }

  /** Forgets everything: a new run starts. */
  clear(): void {
    this.search = null;
    this.rewards = [];
  }

  /** Returns the search as JSON; `null`: there is none. */
  save(): SavedRunSearch | null {
    const { search, rewards } = this;
    return search && { ...search.toJSON(), rewards: typeof rewards === 'string' ? rewards : rewardSignature(rewards) };
  }

  load(saved: SavedRunSearch | null, { refinement, seed }: ResolvedConfig): void {
    this.search = saved && refinement ? ProgramSearch.fromJSON(saved, { ...refinement, seed }) : null;
    this.rewards = saved?.rewards ?? [];
  }
}
